# SPDX-License-Identifier: Apache-2.0
#
# Completion of dtls-send in fish.

complete -c dtls-send -f
complete -c dtls-send -l psk-identity -x -d 'Identity'
complete -c dtls-send -l psk-file -r -F -d 'Take the key from this file'
complete -c dtls-send -l psk-env -x -a '(set --names --export)' -d 'Take the key from this variable'
complete -c dtls-send -l ciphers -x -a 'strict modern iot' -d 'What to offer'
complete -c dtls-send -l timeout -x -d 'How long to wait'
complete -c dtls-send -l no-reply -d 'Do not wait for replies'
complete -c dtls-send -l version -d 'Print the version'
complete -c dtls-send -l help -d 'Print a summary'
