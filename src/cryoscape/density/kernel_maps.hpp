#pragma once
#include <array>
#include <complex>
#include <string>
#include <vector>

#include "cryoscape/density/half_source.hpp"

namespace cryoscape::density {

/// Half-maps of one conformation from the particles near it.
struct KernelMaps {
  std::array<std::vector<float>, 2> halves;  ///< (D, D, D), unfiltered
  std::vector<double> bandwidths;            ///< Å, those that were tried, ascending
  std::vector<int> chosen;                   ///< of each shell, an index into `bandwidths`
  std::array<double, 2> effective{};         ///< particles that the narrowest kernel amounts to, by half-set
};

/// Reconstructs target t from both half-sets, every particle under the weight of its Proximity, at up to
/// seven bandwidths: from one that leaves `kFewest` particles' worth of weight in the smaller half-set to one
/// that takes nearly all alike. Each shell takes its own bandwidth, the one of least cross-validated error
///   Σ_k |A_h − B_0|² + |B_h − A_0|²
/// over the shell and its neighbours, A and B being the half-maps' transforms and 0 the narrowest kernel,
/// which is least biased and whose own noise is the same for every h. Progress under `label`; throws as
/// back_project.
KernelMaps kernel_half_maps(const std::array<HalfSource, 2>& halves, io::StackReader& reader,
                            const particles::ImageGrid& grid, std::size_t target, const std::string& label);

/// Bandwidths for weights by particle (both half-sets): see kernel_half_maps.
std::vector<double> kernel_bandwidths(const std::array<HalfSource, 2>& halves, std::size_t target);

/// Index of the bandwidth of least cross-validated error for every shell of half-maps' half-complex spectra,
/// [bandwidth][half-set].
std::vector<int> choose_bandwidths(int box,
                                   std::span<const std::array<std::vector<std::complex<float>>, 2>> spectra);

/// Bytes that it takes beside those of back_project.
double kernel_bytes(int box);

}  // namespace cryoscape::density
