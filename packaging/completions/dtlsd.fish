# SPDX-License-Identifier: Apache-2.0
#
# Completion of dtlsd in fish.

complete -c dtlsd -f
complete -c dtlsd -l config -r -F -d 'Read this file'
complete -c dtlsd -l check -d 'Report every error in the configuration'
complete -c dtlsd -l show-config -d 'Print the effective configuration'
complete -c dtlsd -l log-target -x -a 'auto journal json text' -d 'Where to log'
complete -c dtlsd -l version -d 'Print the version'
complete -c dtlsd -l help -d 'Print a summary'
