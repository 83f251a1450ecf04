#!/usr/bin/env bash
# Makes the two subset fonts beside this script from the published ones. Needs npm and fonttools
# (`pip install fonttools==4.68.0`). See README.md.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

npm pack --silent @expo-google-fonts/be-vietnam-pro@0.4.1 > /dev/null
tar xzf ./*.tgz
cp package/LICENSE_FONT "$here/OFL.txt"

# Latin with all of Vietnamese, punctuation, currency, a few signs. No combining marks: a letter and
# a mark that do not compose would be set wrongly, so they have to count as missing.
unicodes=U+0020-007E,U+00A0-00AC,U+00AE-00FF,U+0100-017F,U+0192,U+01A0-01A1,U+01AF-01B0
unicodes+=,U+01CD-01DC,U+01E6-01E7,U+01EA-01EB,U+01F4-01F5,U+01FA-01FF,U+0200-021B,U+0226-0233
unicodes+=,U+1E00-1EF9,U+2010-2015,U+2018-201E,U+2020-2022,U+2026,U+2030,U+2032-2033
unicodes+=,U+2039-203A,U+2044,U+20AB-20AC,U+2116,U+2122,U+2190-2193,U+2212,U+2248,U+2260
unicodes+=,U+2264-2265

for style in 400Regular:Regular 700Bold:Bold; do
    source="package/${style%%:*}/BeVietnamPro_${style%%:*}.ttf"
    pyftsubset "$source" --unicodes="$unicodes" --layout-features=kern --no-hinting \
        --notdef-outline --name-IDs='*' \
        --output-file="$here/BeVietnamPro-${style##*:}.subset.ttf"
done
