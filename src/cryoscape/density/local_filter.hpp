#pragma once
#include <array>
#include <span>
#include <vector>

namespace cryoscape::density {

/// A map filtered by what half-maps agree on place by place.
struct LocalFilter {
  std::vector<float> map;         ///< (D, D, D)
  std::vector<float> resolution;  ///< (D, D, D) Å: where the local correlation falls below 0.5
};

/// Filters a map (D, D, D) by the local correlation of its half-maps. All three are split into bands of
/// frequency that sum to the whole; the correlation of the half-maps' bands under a Gaussian window (standard
/// deviation `window` Å) around each voxel is h, and the band is multiplied by 2h/(1 + h) there, by 0 from
/// the first band with h < 0.143 on. A voxel whose first band is below 0.5 has that band's wavelength as
/// resolution. In parallel.
LocalFilter filter_locally(int box, double pixel_size, std::span<const float> half1,
                           std::span<const float> half2, std::span<const float> map, double window);

/// Smallest, middle and largest of the tenth to ninetieth hundredths of the resolution where a mask is above
/// a half.
std::array<double, 3> resolution_range(std::span<const float> resolution, std::span<const float> mask);

}  // namespace cryoscape::density
