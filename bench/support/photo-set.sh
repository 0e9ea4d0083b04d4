#!/bin/sh
# Puts real photos under DIR for bench/fingerprint-recall.ts: wallpapers and photographic stamps of Debian packages, each with its
# licence in usr/share/doc (Creative Commons, GPL, public domain). Nothing of them is part of this project.
set -eu
dir=${1:?usage: bench/support/photo-set.sh DIR}
mkdir -p "$dir/packages" "$dir/photos"
cd "$dir/packages"
for package in tuxpaint-stamps-default lomiri-wallpapers-16.04 lomiri-wallpapers-20.04 plasma-workspace-wallpapers \
  mate-backgrounds gnome-backgrounds ukui-wallpapers; do
  [ -d "$dir/photos/$package" ] && continue
  apt-get download "$package"
  dpkg-deb -x "$package"_*.deb "$dir/photos/$package"
done
