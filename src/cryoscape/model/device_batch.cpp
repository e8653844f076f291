#include "cryoscape/model/device_batch.hpp"

namespace cryoscape::model {

particles::Batch on_device(particles::Batch batch, torch::Device device) {
  for (auto* tensor : {&batch.images, &batch.spectra, &batch.ctf, &batch.wide_ctf, &batch.rotations,
                       &batch.shifts, &batch.groups})
    if (tensor->defined()) *tensor = tensor->to(device);
  return batch;
}

}  // namespace cryoscape::model
