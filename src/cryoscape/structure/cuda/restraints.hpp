#pragma once
#include "cryoscape/structure/cuda/restraint_arrays.hpp"

namespace cryoscape::structure::cuda {

/// Energy, gradient and moments of a batch of structures (B, N, 3), as RestraintEvaluator::evaluate, on the
/// current GPU: all pointers are device memory. Asynchronous on `stream` (a cudaStream_t); the same bits in
/// every run. Throws std::runtime_error if a launch is refused.
///
/// One thread per structure and bead gathers its springs (about 40 of them at 12 Å, 12 bytes and 30
/// operations each; lists are shared by all structures and stay in the second cache) and its clashes (N/32
/// box tests and about 10 boxes of 32 pairs, 10 operations each): 256 structures of 1,000 beads are some 10⁹
/// operations, 50 µs. Moments take one thread per edge and part, 24 bytes per edge and structure out of the
/// cache.
void evaluate_restraints(const RestraintArrays& arrays, const Stiffness& stiffness, int batch,
                         const float* coordinates, const RestraintOutput& output, void* stream);

/// The same work in plain loops on host memory: what the kernels are held against, and what runs in their
/// place where tensors are on the CPU.
void evaluate_restraints_on_host(const RestraintArrays& arrays, const Stiffness& stiffness, int batch,
                                 const float* coordinates, const RestraintOutput& output);

}  // namespace cryoscape::structure::cuda
