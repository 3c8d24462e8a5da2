//===- Npy.h - reading and writing .npy files -------------------*- C++ -*-===//
//
// NumPy's format, versions 1 to 3, little-endian. bf16 has no NumPy type: it is
// written as f32, and whoever reads converts to the type it expects.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_LIB_REFERENCE_NPY_H
#define TILEFUSE_LIB_REFERENCE_NPY_H

#include "lib/Reference/Tensor.h"
#include "tilefuse/Error.h"

namespace tilefuse::reference {

/// Reads a whole file. Fortran order is transposed to row-major; u1 is read as
/// i8. Errors: NotFound, InvalidArgument for anything damaged or unsupported;
/// the message names the file.
Expected<Tensor> readNpy(const std::string &path);

/// Writes version 1.0, C order. Errors: NotFound when the file cannot be
/// written.
Expected<void> writeNpy(const std::string &path, const Tensor &tensor);

} // namespace tilefuse::reference

#endif // TILEFUSE_LIB_REFERENCE_NPY_H
