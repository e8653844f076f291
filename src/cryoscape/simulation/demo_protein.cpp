#include "cryoscape/simulation/demo_protein.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "cryoscape/geometry/rotation.hpp"
#include "cryoscape/geometry/superposition.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/random.hpp"

namespace cryoscape::simulation {
namespace {

using geometry::Mat3;
using geometry::Vec3;
using std::numbers::pi;

constexpr double kBond = 3.8, kRise = 1.5, kTurn = 100 * pi / 180;
constexpr double kRadius = 2.28;  // 2.3 Å; this value makes CA–CA along the helix 3.80 Å
constexpr double kNearSecond = 5.0, kFarSecond = 7.2;  // CA i to i+2: virtual bond angles of 82° to 143°
constexpr double kApart = 4.6;                         // of all other pairs, with a margin above 4 Å

constexpr int kModels = 61;
constexpr double kBeyond = 0.1;             // the path goes beyond both end states by this share
constexpr double kOpening = 50 * pi / 180;  // of domain 2 about the hinge axis, closed to open
constexpr double kTwist = 25 * pi / 180;    // of domain 2 about its first helix, half-way
const Vec3 kHinge{0, 0, -17};

Vec3 operator+(const Vec3& a, const Vec3& b) { return {a[0] + b[0], a[1] + b[1], a[2] + b[2]}; }
Vec3 operator-(const Vec3& a, const Vec3& b) { return {a[0] - b[0], a[1] - b[1], a[2] - b[2]}; }
Vec3 operator*(double f, const Vec3& a) { return {f * a[0], f * a[1], f * a[2]}; }
double norm(const Vec3& a) { return std::sqrt(a[0] * a[0] + a[1] * a[1] + a[2] * a[2]); }
Vec3 unit(const Vec3& a) { return (1 / norm(a)) * a; }
Vec3 cross(const Vec3& a, const Vec3& b) {
  return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
}

/// A helix of the plan: the middle of its axis, the tilt of the axis off z in x and y, its residues, the
/// direction of the chain, the angle of its first residue, and the residues of the loop behind it.
struct HelixPlan {
  Vec3 middle;
  double tilt_x, tilt_y;
  int residues;
  bool up;
  double phase;
  int loop;
};

// Closed state. Neighbours in the chain are neighbours in space, about 10 Å apart; the fifth helix ends and
// the sixth begins at the hinge.
constexpr int kDomainOneHelices = 5;
const std::array<HelixPlan, 10> kPlan{{{{-7.0, 10.5, 2.0}, 0.05, 0.10, 14, false, 0.3, 4},
                                       {{-16.5, 6.0, 0.0}, -0.08, 0.05, 18, true, 1.9, 5},
                                       {{-17.0, -4.5, -1.0}, 0.06, -0.06, 16, false, 4.0, 4},
                                       {{-7.5, -10.5, 1.0}, 0.08, 0.06, 15, true, 2.2, 5},
                                       {{-6.5, 0.0, -1.0}, -0.02, 0.03, 17, false, 5.1, 7},
                                       {{6.5, 0.5, -2.0}, 0.06, 0.03, 15, true, 0.8, 4},
                                       {{7.5, 11.0, -1.0}, 0.10, 0.04, 12, false, 3.3, 5},
                                       {{17.0, 7.0, 1.5}, 0.02, -0.08, 19, true, 2.7, 4},
                                       {{17.0, -3.5, 0.0}, 0.06, 0.08, 15, false, 1.1, 5},
                                       {{9.5, -11.0, 0.0}, 0.04, 0.02, 11, true, 4.6, 0}}};

struct Chain {
  std::vector<Vec3> position;
  std::vector<bool> loop;  ///< free to move while loops are closed
  int linker_begin = 0, linker_end = 0;
};

void append_helix(const HelixPlan& plan, Chain& chain) {
  const Vec3 axis = (plan.up ? 1.0 : -1.0) * unit({plan.tilt_x, plan.tilt_y, 1});
  const Vec3 u = unit(cross(axis, {0.3, 1, 0.2})), v = cross(axis, u);
  for (int i = 0; i < plan.residues; ++i) {
    const double along = kRise * (i - 0.5 * (plan.residues - 1)), angle = plan.phase + kTurn * i;
    chain.position.push_back(plan.middle + along * axis + (kRadius * std::cos(angle)) * u +
                             (kRadius * std::sin(angle)) * v);
    chain.loop.push_back(false);
  }
}

/// An arc of `residues` points from the chain's end towards `target`, bulging along `outward`; closed exactly
/// by relax().
void append_loop(const Vec3& target, const Vec3& outward, int residues, Chain& chain) {
  const Vec3 from = chain.position.back(), chord = target - from;
  const double contour = kBond * (residues + 1), span = norm(chord);
  const double height = 0.5 * std::sqrt(std::max(4.0, contour * contour - span * span));
  for (int i = 1; i <= residues; ++i) {
    const double f = static_cast<double>(i) / (residues + 1);
    chain.position.push_back(from + f * chord + (height * std::sin(pi * f)) * outward);
    chain.loop.push_back(true);
  }
}

/// Moves i and j along their connection towards a distance in [low, high], as far as they are free. Returns
/// the violation.
double constrain(Chain& chain, std::size_t i, std::size_t j, double low, double high) {
  const Vec3 d = chain.position[j] - chain.position[i];
  const double length = norm(d), wanted = std::clamp(length, low, high), error = length - wanted;
  const int mobile = int{chain.loop[i]} + int{chain.loop[j]};
  if (error == 0 || mobile == 0) return 0;
  const Vec3 step = (error / length / mobile) * d;
  if (chain.loop[i]) chain.position[i] = chain.position[i] + step;
  if (chain.loop[j]) chain.position[j] = chain.position[j] - step;
  return std::abs(error);
}

/// Closes loops: projects on all distance constraints in turn until they hold (position-based dynamics).
void relax(Chain& chain) {
  constexpr double kTolerance = 2e-3;
  constexpr int kRounds = 4000;
  const std::size_t n = chain.position.size();
  double worst = 0;
  for (int round = 0; round < kRounds; ++round) {
    worst = 0;
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = i + 2; j < n; ++j)
        if (chain.loop[i] || chain.loop[j])
          worst = std::max(worst, j == i + 2 ? constrain(chain, i, j, kNearSecond, kFarSecond)
                                             : constrain(chain, i, j, kApart, 1e9));
    for (std::size_t i = 0; i + 1 < n; ++i) worst = std::max(worst, constrain(chain, i, i + 1, kBond, kBond));
    if (worst < kTolerance) return;
  }
  fail("the demo protein's loops do not close ({:.3f} A left)", worst);
}

Chain closed_state() {
  Chain chain;
  for (std::size_t h = 0; h < kPlan.size(); ++h) {
    append_helix(kPlan[h], chain);
    if (h + 1 == kPlan.size()) break;
    Chain next;
    append_helix(kPlan[h + 1], next);
    if (h + 1 == kDomainOneHelices) chain.linker_begin = static_cast<int>(chain.position.size());
    append_loop(next.position.front(), {0, 0, kPlan[h].up ? 1.0 : -1.0}, kPlan[h].loop, chain);
    if (h + 1 == kDomainOneHelices) chain.linker_end = static_cast<int>(chain.position.size());
  }
  relax(chain);
  return chain;
}

Vec3 turned(const Vec3& x, const Vec3& axis, double angle, const Vec3& pivot) {
  return pivot + geometry::rotated(geometry::rotation_from_axis_angle(angle * axis), x - pivot);
}

/// Position t of the motion, 0 open to 1 closed: domain 2 is carried rigidly, the linker in shares, then its
/// bonds are restored.
Chain at_motion(const Chain& closed, double t) {
  Chain out = closed;
  const auto& first = kPlan[kDomainOneHelices];
  const Vec3 helix_axis = unit({first.tilt_x, first.tilt_y, 1});
  const auto n = static_cast<int>(out.position.size());
  for (int i = 0; i < n; ++i) {
    out.loop[i] = i >= closed.linker_begin && i < closed.linker_end;
    const double x = std::clamp(
        (i + 1.0 - closed.linker_begin) / (closed.linker_end - closed.linker_begin + 1.0), 0.0, 1.0);
    const double share = x * x * (3 - 2 * x);
    const Vec3 twisted = turned(out.position[i], helix_axis, share * kTwist * 4 * t * (1 - t), first.middle);
    out.position[i] = turned(twisted, {0, 1, 0}, share * kOpening * (1 - t), kHinge);
  }
  relax(out);
  return out;
}

/// Residue names: helix formers in helices, loop formers in loops, in a fixed random order.
std::vector<std::string> make_sequence(const Chain& chain) {
  static const std::array<const char*, 13> kHelix{"ALA", "LEU", "GLU", "LYS", "GLN", "ARG", "MET",
                                                  "ILE", "VAL", "PHE", "TYR", "TRP", "ALA"};
  static const std::array<const char*, 8> kLoop{"GLY", "SER", "ASP", "ASN", "PRO", "THR", "GLY", "HIS"};
  Philox random(20240607);
  std::vector<std::string> names;
  for (const bool loop : chain.loop)
    names.emplace_back(loop ? kLoop[random.below(kLoop.size())] : kHelix[random.below(kHelix.size())]);
  return names;
}

std::vector<float> flat(const Chain& chain) {
  std::vector<float> out;
  for (const auto& x : chain.position)
    for (const double c : x) out.push_back(static_cast<float>(c));
  return out;
}

io::AtomicModel make_model(const std::vector<float>& positions, const std::vector<std::string>& names) {
  io::AtomicModel model;
  for (std::size_t i = 0; i < names.size(); ++i) {
    io::AtomRecord atom;
    atom.name = "CA";
    atom.residue_name = names[i];
    atom.chain = "A";
    atom.residue_number = static_cast<int>(i) + 1;
    atom.element = "C";
    atom.polymer = io::Polymer::protein;
    for (int k = 0; k < 3; ++k) atom.position[k] = positions[3 * i + k];
    model.atoms.push_back(atom);
  }
  return model;
}

}  // namespace

DemoProtein make_demo_protein() {
  const Chain closed = closed_state();
  const auto names = make_sequence(closed);
  Chain half = at_motion(closed, 0.5);
  Vec3 centre{};
  for (const auto& x : half.position) centre = centre + (1.0 / static_cast<double>(half.position.size())) * x;
  for (auto& x : half.position) x = x - centre;
  const auto middle = flat(half);

  DemoProtein out;
  for (int m = 0; m < kModels; ++m) {
    const auto x = flat(at_motion(closed, -kBeyond + (1 + 2 * kBeyond) * m / (kModels - 1)));
    out.path.push_back(make_model(geometry::transformed(geometry::superpose(x, middle), x), names));
  }
  const auto model_of = [](double t) {
    return 1 + static_cast<int>(std::lround((t + kBeyond) / (1 + 2 * kBeyond) * (kModels - 1)));
  };
  out.states = {
      {"open", model_of(0), 0.6}, {"closed", model_of(1), 0.3}, {"intermediate", model_of(0.5), 0.1}};
  return out;
}

}  // namespace cryoscape::simulation
