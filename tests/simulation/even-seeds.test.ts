import { playSeeds } from './play-lane'

playSeeds('even')
