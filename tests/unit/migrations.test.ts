import { readdirSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { root } from '../../scripts/processes'

const names = readdirSync(path.join(root, 'supabase', 'migrations'))

describe('migrations', () => {
  it('have a version each that no other has, and say what they are about', () => {
    const versions = names.map((name) => /^(\d{14})_[a-z0-9_]+\.sql$/.exec(name)?.[1] ?? name)

    expect(versions.filter((version) => !/^\d{14}$/.test(version))).toEqual([])
    expect(versions.filter((version, index) => versions.indexOf(version) !== index)).toEqual([])
  })
})
