#!/bin/bash
# Installs what is missing, and does nothing when nothing is: Debian packages,
# the Python environment .venv, and ptxas. The one list of packages is here.
set -euo pipefail
source "$(dirname "$0")/common.sh"

packages=(
  # The compiler's own libraries and the tools its tests run.
  llvm-22-dev libmlir-22-dev mlir-22-tools llvm-22-tools
  # What builds it.
  clang-22 libclang-rt-22-dev lld-22 mold ccache ninja-build cmake g++ make
  clang-format-22 clang-tidy-22
  libzstd-dev zlib1g-dev libxxhash-dev libgtest-dev
  # Python and what the scripts call.
  python3 python3-venv git xz-utils ca-certificates
)
torch_version=2.13.0

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else fail "installing packages needs root or sudo; as root: apt-get install ${missing[*]}"
  fi
}

missing_packages() {
  # dpkg-query fails when it does not know one of them, which is the point.
  { dpkg-query -W -f='${db:Status-Status} ${Package}\n' "${packages[@]}" 2>/dev/null || true; } |
    awk '$1 == "installed" {print $2}' | sort -u >"$work/installed"
  printf '%s\n' "${packages[@]}" | sort -u | comm -23 - "$work/installed"
}

# llvm-22 is in Debian 12's security suite, which a bare chroot does not list.
add_security_suite() {
  local list=/etc/apt/sources.list.d/tilefuse-debian-security.list
  [ -e "$list" ] && return
  local keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  step "Adding Debian's security suite, which has LLVM 22"
  echo "deb [signed-by=$keyring] http://deb.debian.org/debian-security bookworm-security main" |
    as_root tee "$list" >/dev/null
}

has_candidate() {
  [[ $(apt-cache policy "$1" 2>/dev/null) =~ Candidate:\ [^\(] ]]
}

install_packages() {
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    [ -x /usr/lib/llvm-22/bin/mlir-opt ] && return
    fail "this system has no apt. tilefuse builds on Debian 12; elsewhere, install LLVM and MLIR 22.1 under /usr/lib/llvm-22, clang-22, mold, ccache, ninja, CMake 3.25 and GoogleTest by hand."
  fi
  mapfile -t missing < <(missing_packages)
  ((${#missing[@]} == 0)) && return
  step "Installing ${#missing[@]} packages: ${missing[*]}"
  as_root apt-get -q update
  if ! has_candidate llvm-22-dev && grep -q bookworm /etc/os-release; then
    add_security_suite
    as_root apt-get -q update
  fi
  has_candidate llvm-22-dev || fail "no package source here offers llvm-22-dev. Debian 12 has it in its security suite; on another release add https://apt.llvm.org for LLVM 22 and run this again."
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
    --no-install-recommends install "${missing[@]}"
}

# Whether the Python $1 has the package $2, optionally at version $3.
has_python_package() {
  "$1" - "$2" "${3:-}" <<'PY' 2>/dev/null
import importlib.metadata, sys
version = importlib.metadata.version(sys.argv[1]).split("+")[0]
sys.exit(0 if sys.argv[2] in ("", version) else 1)
PY
}

make_venv() {
  local python=.venv/bin/python
  if [ ! -x "$python" ]; then
    step "Creating .venv"
    local flags=()
    has_python_package /usr/bin/python3 torch "$torch_version" && flags+=(--system-site-packages)
    /usr/bin/python3 -m venv "${flags[@]}" .venv
  fi
  reuse_torch
  # The version is exact; where it comes from is pip's configuration, whose
  # find-links may offer a build without CUDA.
  has_python_package "$python" numpy || { step "Installing NumPy"; "$python" -m pip install -q numpy; }
  has_python_package "$python" pytest || { step "Installing pytest"; "$python" -m pip install -q pytest; }
  # PyTorch's own samples of its operators import it.
  has_python_package "$python" expecttest || { step "Installing expecttest"; "$python" -m pip install -q expecttest; }
  has_python_package "$python" scikit-build-core || {
    step "Installing scikit-build-core"
    "$python" -m pip install -q scikit-build-core
  }
  has_python_package "$python" torch "$torch_version" || {
    step "Installing PyTorch $torch_version"
    "$python" -m pip install -q "torch==$torch_version"
  }
}

# Another Python of the same version may have this PyTorch already: share it.
reuse_torch() {
  local python=.venv/bin/python other
  has_python_package "$python" torch "$torch_version" && return
  other=$(command -v python3) || return 0
  has_python_package "$other" torch "$torch_version" || return 0
  local version='import sys; print(sys.version_info[:2])'
  [ "$("$other" -c "$version")" = "$("$python" -c "$version")" ] || return 0
  "$other" -c 'import os, importlib.util as u; print(os.path.dirname(os.path.dirname(u.find_spec("torch").origin)))' \
    >"$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/tilefuse-torch.pth"
}

install_ptxas() {
  find_ptxas >/dev/null && return
  step "Installing ptxas from PyPI (no CUDA Toolkit here)"
  .venv/bin/python -m pip install -q 'nvidia-cuda-nvcc==13.0.*' 'nvidia-nvvm==13.0.*' ||
    echo "warning: ptxas could not be installed; PTX is still made, but not assembled" >&2
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
install_packages
make_venv
install_ptxas
