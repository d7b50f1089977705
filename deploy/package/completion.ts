/** Completion for bash, from the flags of `--help`. */

import { flagsWithHelp } from '../../src/config/flags.js';
import type { Release } from './release.js';

/** Completes the names of flags; bash completes file names after `=`. */
export function completion({ name }: Release): string {
  const words = flagsWithHelp().map((flag) => flag.name + (flag.value.startsWith('=') ? '=' : ''));
  const call = `_${name.replaceAll('-', '_')}`;
  return `# Completion of ${name} for bash.
${call}() {
  COMPREPLY=()
  case "$2" in
    -*)
      mapfile -t COMPREPLY < <(compgen -W '${words.join(' ')}' -- "$2")
      if [[ \${COMPREPLY[0]} == *= ]]; then compopt -o nospace; fi
      ;;
  esac
}
complete -o default -F ${call} ${name}
`;
}
