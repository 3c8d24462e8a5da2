//===- FuseOps.td - all ops of the graph dialect -----------*- tablegen -*-===//

#ifndef TILEFUSE_DIALECTS_FUSE_FUSEOPS
#define TILEFUSE_DIALECTS_FUSE_FUSEOPS

include "dialects/Fuse/FuseBinaryOps.td"
include "dialects/Fuse/FuseCompositeOps.td"
include "dialects/Fuse/FuseKernelOps.td"
include "dialects/Fuse/FuseShapeOps.td"
include "dialects/Fuse/FuseStructuredOps.td"
include "dialects/Fuse/FuseUnaryOps.td"

#endif // TILEFUSE_DIALECTS_FUSE_FUSEOPS
