#!/bin/sh
# Fills `corpus/` from the fixtures. Every target takes some bytes that choose in front of what it checks: zeros here.
set -eu
cd "$(dirname "$0")"
captures=$(find ../fixtures/captures -type f ! -name '*.tsv' ! -name '*.expected' -size -16k)

# TARGET ZEROS: what is read on standard input becomes a seed, called by its checksum.
seed() {
    mkdir -p "corpus/$1"
    { head -c "$2" /dev/zero; cat; } > "corpus/$1/new"
    mv "corpus/$1/new" "corpus/$1/seed-$(cksum < "corpus/$1/new" | tr ' ' -)"
}

for capture in $captures; do
    seed convert 9 < "$capture"
    seed capture 1 < "$capture"
    { printf '\0\0'; cat "$capture"; } | seed merge 0
    case $capture in
        *.pcap)
            tail -c +25 "$capture" | seed pcap 7
            # the first frame, and what lies behind it
            tail -c +41 "$capture" | head -c 400 | seed decode 2
            # any bytes are some traffic
            tail -c +41 "$capture" | head -c 400 | seed diff 3 ;;
        *.pcapng) seed pcapng 0 < "$capture" ;;
    esac
done
for description in $(find ../fixtures/vpc -type f); do
    for capture in ../fixtures/captures/vpc/vpn-ping.pcap ../fixtures/captures/aws/ssh.pcap; do
        { cat "$description"; printf '\0'; cat ../fixtures/vpc/web.toml; printf '\0'; cat "$capture"; } | seed vpc 3
    done
done
for expression in 'tcp port 80 or 443 and not src net 10.0.0.0/8' 'ip6 host 2001:db8::1' \
    '(udp portrange 1-1024) || icmp && !inbound' 'net 10.0.0.0 mask 255.0.0.0 or proto 132' 'src or dst port domain'; do
    printf %s "$expression" | seed filter 0
done
for format in v2 v6 all '${version} ${srcaddr}  ${tcp-flags}' 'srcaddr dstaddr bytes' 'srcaddr,dstaddr' \
    'vpc-id=vpc-0a1b2c3d' 'flow-direction=egress' 'traffic-path=8' 'account-id=123456789012'; do
    printf %s "$format" | seed log_format 0
done
for expected in ../fixtures/captures/*/*.expected; do
    seed flow_log 1 < "$expected"
    tail -n 1 "$expected" | seed flow_log 1
done
for log in ../fixtures/flowlogs/*; do
    seed flowlog_read 4 < "$log"
    seed lint 3 < "$log"
    seed relog 12 < "$log"
done
for text in 60 capture 1623101047.5 -0.5 2021-06-07T21:24:07.25Z 2021-06-07T23:24:07+02:00 2021-06-07 vxlan,gre; do
    printf %s "$text" | seed times 16
done
