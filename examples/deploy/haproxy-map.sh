#!/bin/sh
# Keeps HAProxy's map of markets current: who has which, every second, through its socket.  UNTESTED beside a real HAProxy.
#   haproxy-map.sh postgresql://halfhour@db1/halfhour /run/haproxy/admin.sock /etc/haproxy/markets.map
# Without it all is well, too: a front that does not have the market sends the request on.
url=$1 socket=$2 map=$3
while :; do
  if halfhour markets --ledger "$url" --map >"$map.new"; then
    while read -r market host; do
      printf 'set map %s %s %s\n' "$map" "$market" "$host" | socat stdio "$socket" | grep -q found &&
        printf 'add map %s %s %s\n' "$map" "$market" "$host" | socat stdio "$socket"
    done <"$map.new" >/dev/null
    mv "$map.new" "$map"
  fi
  sleep 1
done
