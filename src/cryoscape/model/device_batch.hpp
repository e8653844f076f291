#pragma once
#include "cryoscape/particles/batch.hpp"

namespace cryoscape::model {

/// A batch on a device; its indices stay with the host, which reads them.
particles::Batch on_device(particles::Batch batch, torch::Device device);

}  // namespace cryoscape::model
