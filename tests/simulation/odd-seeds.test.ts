import { playSeeds } from './play-lane'

playSeeds('odd')
