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

  /// Theirs: the edges' moments of a batch that is evaluated in parts are summed between.
  void defer_moments() const {
    if (on_device)
      on_device->defer_moments();
    else
      on_cpu->defer_moments();
  }
  std::vector<double> batch_moments() const {
    if (on_device) return on_device->batch_moments();
    const auto moments = on_cpu->batch_moments();
    return {moments.begin(), moments.end()};
  }
  void absorb(std::span<const double> moments) const {
    if (on_device)
      on_device->absorb(moments);
    else
      on_cpu->absorb(moments);
  }
};

}  // namespace cryoscape::training
