#pragma once
#include <cstdint>

namespace cryoscape::density {

inline constexpr int kGroup = 16;  ///< images that are back-projected together, one per lane

/// A row of voxels into which a group of images is back-projected. Arrays per image have kGroup entries.
struct CurvedRow {
  const float* pixels;  ///< (kGroup, side, side)
  int side;
  const float* start;        ///< (2, kGroup) where voxel 0 of the row appears, x then y, without displacement
  const float* step;         ///< (2, kGroup) from voxel to voxel
  const float* nodes;        ///< (nodes of the row, 2, kGroup) displacements
  const std::int32_t* cell;  ///< by voxel: the node before it
  const float* part;         ///< by voxel: how far it is from there to the next node
  int begin, end;            ///< voxels
  float* out;                ///< the row
};

/// Adds to every voxel the images' values where it appears, linear between pixels and 0 outside them.
void add_curved_row(const CurvedRow& row);

/// The same in plain loops and double precision: what add_curved_row is tested against.
void add_curved_row_reference(const CurvedRow& row);

}  // namespace cryoscape::density
