#pragma once
#include <cstddef>
#include <span>

#include "cryoscape/projection/spec.hpp"

namespace cryoscape::projection {

/// Draws beads as Gaussians, image[y, x] = Σ_n A_n /(2πσ_p²) exp(−((x − x_n)² + (y − y_n)²)/2σ_p²), σ_p =
/// σ/a, summed over the pixels within the window of each bead: the integral over a pixel of the projected
/// density, at pixel centres. Bead n stands at (R x_n − shift)/a + box/2 pixels. image: (box, box),
/// overwritten. coordinates: (N, 3) Å; rotation: (3, 3) row-major; shift: (2) Å.
void project_one(const ProjectionSpec& spec, std::span<const float> amplitudes, const float* coordinates,
                 const float* rotation, const float* shift, float* image);

/// Adjoint of project_one's derivative: coordinate_gradient (N, 3) ← Σ_pixels image_gradient ·
/// ∂image/∂coordinates.
void project_one_backward(const ProjectionSpec& spec, std::span<const float> amplitudes,
                          const float* coordinates, const float* rotation, const float* shift,
                          const float* image_gradient, float* coordinate_gradient);

/// Derivatives of the image along d displacement fields, for Gauss–Newton: images (d, box, box) ←
/// ∂image/∂coordinates · displacements (d, N, 3) Å, in one pass over the beads.
void project_one_tangents(const ProjectionSpec& spec, std::span<const float> amplitudes,
                          const float* coordinates, const float* rotation, const float* shift, int directions,
                          const float* displacements, float* images);

/// The same for a batch, parallel over images: coordinates (B, N, 3), rotations (B, 3, 3), shifts (B, 2),
/// images (B, box, box).
void project(const ProjectionSpec& spec, std::span<const float> amplitudes, int batch,
             const float* coordinates, const float* rotations, const float* shifts, float* images);
void project_backward(const ProjectionSpec& spec, std::span<const float> amplitudes, int batch,
                      const float* coordinates, const float* rotations, const float* shifts,
                      const float* image_gradients, float* coordinate_gradients);
/// displacements (B, d, N, 3), images (B, d, box, box).
void project_tangents(const ProjectionSpec& spec, std::span<const float> amplitudes, int batch,
                      const float* coordinates, const float* rotations, const float* shifts, int directions,
                      const float* displacements, float* images);

}  // namespace cryoscape::projection
