# SPDX-License-Identifier: Apache-2.0
#
# Completion of dtls-bench in fish.

complete -c dtls-bench -f
complete -c dtls-bench -n 'not __fish_seen_subcommand_from echo churn ramp blast storm' \
    -a 'echo churn ramp blast storm'
complete -c dtls-bench -l clients -x -d 'Sessions'
complete -c dtls-bench -l payload -x -d 'Bytes of a message'
complete -c dtls-bench -l window -x -d 'Messages of a client under way'
complete -c dtls-bench -l under-way -x -d 'Messages of all clients under way'
complete -c dtls-bench -l at-a-time -x -d 'Handshakes under way'
complete -c dtls-bench -l storm -x -d 'Sessions that reconnect'
complete -c dtls-bench -l rate -x -d 'Messages per second in a storm'
complete -c dtls-bench -l duration -x -d 'How long to measure'
complete -c dtls-bench -l warm-up -x -d 'How long to go on before'
complete -c dtls-bench -l timeout -x -d 'How long to wait for a session'
complete -c dtls-bench -l psk-identity -x -d 'Who to be'
complete -c dtls-bench -l psk-file -r -F -d 'Take the key from this file'
complete -c dtls-bench -l psk-env -x -a '(set --names --export)' -d 'Take the key from this variable'
complete -c dtls-bench -l ciphers -x -d 'What to offer'
complete -c dtls-bench -l pid -x -a '(__fish_complete_pids)' -d 'The process of the server'
complete -c dtls-bench -l server -x -d 'Start the server'
complete -c dtls-bench -l compare -x -d 'Start several servers in turn'
complete -c dtls-bench -l rounds -x -d 'How often to measure'
complete -c dtls-bench -l json -d 'Print JSON'
complete -c dtls-bench -l version -d 'Print the version'
complete -c dtls-bench -l help -d 'Print a summary'
