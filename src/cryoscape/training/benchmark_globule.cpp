#include "cryoscape/training/benchmark_globule.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace cryoscape::training {
namespace {

constexpr double kVolume = 135;                         // Å³ per residue
constexpr double kBond = 3.8;                           // Å
const double kRodSpacing = std::sqrt(kVolume / kBond);  // Å
const double kTurnHeight =
    std::sqrt(kBond * kBond - kRodSpacing * kRodSpacing / 4);  // of a turn above the ends it joins

struct Cell {
  int x, y;
};

/// The cells of a square of side 2·half + 1 along a spiral from its centre: each touches the one before.
std::vector<Cell> spiral(int half) {
  std::vector<Cell> cells{{0, 0}};
  const Cell steps[] = {{1, 0}, {0, 1}, {-1, 0}, {0, -1}};
  const auto count = static_cast<std::size_t>(2 * half + 1) * (2 * half + 1);
  for (int leg = 0; cells.size() < count; ++leg)
    for (int k = 0; k < leg / 2 + 1 && cells.size() < count; ++k)
      cells.push_back({cells.back().x + steps[leg % 4].x, cells.back().y + steps[leg % 4].y});
  return cells;
}

/// Residues of a rod above the middle of a ball of that radius.
int height(Cell cell, double radius) {
  const double lateral = kRodSpacing * kRodSpacing * (cell.x * cell.x + cell.y * cell.y);
  return static_cast<int>(std::sqrt(std::max(0.0, radius * radius - lateral)) / kBond);
}

/// The chain that fills the square prism inscribed in a ball of that radius, up and down along z.
std::vector<std::array<double, 3>> fill(double radius) {
  const auto cells = spiral(static_cast<int>(radius / std::sqrt(2.0) / kRodSpacing));
  std::vector<std::array<double, 3>> chain;
  int level = -height(cells.front(), radius);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const auto next = cells[std::min(i + 1, cells.size() - 1)];
    const int up = i % 2 ? -1 : 1, end = up * ((height(cells[i], radius) + height(next, radius)) / 2);
    const double x = kRodSpacing * cells[i].x, y = kRodSpacing * cells[i].y;
    for (int z = level; z != end + up; z += up) chain.push_back({x, y, kBond * z});
    chain.push_back(
        {0.5 * (x + kRodSpacing * next.x), 0.5 * (y + kRodSpacing * next.y), kBond * end + up * kTurnHeight});
    level = end;
  }
  chain.pop_back();
  return chain;
}

}  // namespace

io::AtomicModel make_globule(int residues) {
  double radius = std::cbrt(kVolume * residues / 3.2);  // the prism's volume is 3.2 radius³
  auto chain = fill(radius);
  while (chain.size() < static_cast<std::size_t>(residues)) chain = fill(radius *= 1.01);
  chain.resize(residues);
  std::array<double, 3> centre{};
  for (const auto& p : chain)
    for (int k = 0; k < 3; ++k) centre[k] += p[k] / residues;
  io::AtomicModel model;
  for (const auto& p : chain) {
    io::AtomRecord atom;
    atom.name = "CA", atom.residue_name = "ALA", atom.chain = "A", atom.element = "C";
    atom.residue_number = static_cast<int>(model.atoms.size()) + 1;
    atom.polymer = io::Polymer::protein;
    for (int k = 0; k < 3; ++k) atom.position[k] = static_cast<float>(p[k] - centre[k]);
    model.atoms.push_back(atom);
  }
  return model;
}

}  // namespace cryoscape::training
