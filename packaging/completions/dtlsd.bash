# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Completion of dtlsd in bash.

_dtlsd()
{
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} choices=''
    # With its usual COMP_WORDBREAKS, bash takes the = of an option for a word.
    if [[ $cur == '=' ]]; then
        cur=''
    elif [[ $prev == '=' ]]; then
        prev=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    case $prev in
    --config) compopt -o default ;;
    --log-target) choices='auto journal json text' ;;
    *) choices='--config --check --show-config --log-target --version --help' ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$cur")
}

complete -F _dtlsd dtlsd
