#pragma once
#include "cryoscape/structure/restraints.hpp"
#include "cryoscape/training/device_restraints.hpp"

namespace cryoscape::training {

/// The restraints of an objective, by reference: the CPU's evaluator, or that of any device.
struct RestraintTerm {
  RestraintTerm(structure::RestraintEvaluator& evaluator) : on_cpu(&evaluator) {}  // NOLINT: a conversion
  RestraintTerm(DeviceRestraints& restraints) : on_device(&restraints) {}          // NOLINT: a conversion

  structure::RestraintEvaluator* on_cpu = nullptr;
  DeviceRestraints* on_device = nullptr;  ///< null: on_cpu
};

}  // namespace cryoscape::training
