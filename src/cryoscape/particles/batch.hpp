#pragma once
#include <array>

#include "cryoscape/torch.hpp"

namespace cryoscape::particles {

/// Everything about B particles; D is the training box.
struct Batch {
  torch::Tensor indices;    ///< (B) int64, into ParticleSet::particles
  torch::Tensor images;     ///< (B, D, D) float32, normalised; defined only if asked for
  torch::Tensor spectra;    ///< (B, D, D/2+1) complex64, unnormalised FFT of the normalised images
  torch::Tensor ctf;        ///< (B, D, D/2+1) float32
  torch::Tensor wide_ctf;   ///< (B, 2D, D+1) float32, the CTF in a box of twice the size; only if asked for
  torch::Tensor rotations;  ///< (B, 3, 3) float32; the image rows carry the group's magnification (Placement)
  torch::Tensor shifts;     ///< (B, 2) float32, Å of the grid
  torch::Tensor groups;     ///< (B) int64, optics group
  std::int64_t consumed =
      0;  ///< entries of the order behind this batch: B and the particles left out as unusable

  std::int64_t size() const { return indices.defined() ? indices.size(0) : 0; }
};

/// All tensors of a batch, also those that are not defined.
inline std::array<torch::Tensor*, 8> tensors_of(Batch& batch) {
  return {&batch.indices,  &batch.images,    &batch.spectra, &batch.ctf,
          &batch.wide_ctf, &batch.rotations, &batch.shifts,  &batch.groups};
}

/// Rows [first, first + count) of a batch.
inline Batch rows_of(Batch batch, std::int64_t first, std::int64_t count) {
  for (auto* t : tensors_of(batch))
    if (t->defined()) *t = t->narrow(0, first, count);
  return batch;
}

/// Every particle of a batch k times, one after another.
inline Batch repeated(Batch batch, std::int64_t k) {
  for (auto* t : tensors_of(batch))
    if (t->defined()) *t = t->repeat_interleave(k, 0);
  return batch;
}

}  // namespace cryoscape::particles
