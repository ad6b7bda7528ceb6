export type TestCardKey = string
