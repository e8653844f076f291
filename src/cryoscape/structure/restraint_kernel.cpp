#include "cryoscape/structure/restraint_kernel.hpp"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cryoscape/structure/restraint_kernel.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

// Compiled once per instruction set; every lane is a structure of its own.
HWY_BEFORE_NAMESPACE();
namespace cryoscape::structure::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Eight structures fit the second cache together, with their gradients, up to about 5,000 beads.
using V = hn::CappedTag<float, 8>;
using Vec = hn::Vec<V>;

struct Point {
  Vec x, y, z;
};

static int Lanes() { return static_cast<int>(hn::Lanes(V())); }

static HWY_INLINE Point Load(const float* HWY_RESTRICT values, std::int32_t bead) {
  const V d;
  const std::size_t n = hn::Lanes(d);
  const float* p = values + 3 * n * bead;
  return {hn::LoadU(d, p), hn::LoadU(d, p + n), hn::LoadU(d, p + 2 * n)};
}

static HWY_INLINE void Store(float* HWY_RESTRICT values, std::int32_t bead, const Point& v) {
  const V d;
  const std::size_t n = hn::Lanes(d);
  float* p = values + 3 * n * bead;
  hn::StoreU(v.x, d, p), hn::StoreU(v.y, d, p + n), hn::StoreU(v.z, d, p + 2 * n);
}

static HWY_INLINE Point Difference(const Point& a, const Point& b) {
  return {hn::Sub(a.x, b.x), hn::Sub(a.y, b.y), hn::Sub(a.z, b.z)};
}

static HWY_INLINE Vec Square(const Point& v) {
  return hn::MulAdd(v.x, v.x, hn::MulAdd(v.y, v.y, hn::Mul(v.z, v.z)));
}

// 1/√x to float precision: the estimate and Newton steps; cheaper than a square root and a division.
static HWY_INLINE Vec InverseRoot(Vec x) {
  const V d;
  const auto half = hn::Mul(hn::Set(d, 0.5f), x), three_halves = hn::Set(d, 1.5f);
  auto r = hn::ApproximateReciprocalSqrt(x);
  for (int step = 0; step < 2; ++step) r = hn::Mul(r, hn::NegMulAdd(hn::Mul(half, r), r, three_halves));
  return r;
}

static HWY_INLINE void AddScaled(Point& sum, Vec factor, const Point& v) {
  sum.x = hn::MulAdd(factor, v.x, sum.x);
  sum.y = hn::MulAdd(factor, v.y, sum.y);
  sum.z = hn::MulAdd(factor, v.z, sum.z);
}

static void AddEnergy(Vec energy, double* HWY_RESTRICT total) {
  const V d;
  HWY_ALIGN float values[8];
  hn::StoreU(energy, d, values);
  for (std::size_t s = 0; s < hn::Lanes(d); ++s) total[s] += values[s];
}

static void PullPairs(const PairList& pairs, float clash_stiffness, const StructureGroup& group,
                      const EdgeMoments& moments) {
  const V d;
  const auto zero = hn::Zero(d), two = hn::Set(d, 2.0f), clash = hn::Set(d, clash_stiffness),
             tiny = hn::Set(d, 1e-12f), counted = hn::LoadU(d, group.counted);
  const auto beads = static_cast<std::int32_t>(pairs.start.size() - 1);
  for (std::int32_t i = 0; i < beads; ++i) {
    const auto begin = pairs.start[i], end = pairs.start[i + 1];
    if (begin == end) continue;
    const auto own = Load(group.coordinates, i);
    Point pull{zero, zero, zero};
    auto energy = zero;
    for (auto p = begin; p < end; ++p) {
      const auto j = pairs.partner[p];
      const auto apart = Difference(own, Load(group.coordinates, j));
      const auto squared = hn::Max(Square(apart), tiny);
      const auto inverse = InverseRoot(squared), separation = hn::Mul(squared, inverse);
      const auto deviation = hn::Sub(separation, hn::Set(d, pairs.distance[p]));
      const auto overlap = hn::Max(hn::Sub(hn::Set(d, pairs.limit[p]), separation), zero);
      const auto spring = hn::Mul(hn::Set(d, pairs.stiffness[p]), deviation), push = hn::Mul(clash, overlap);
      energy = hn::MulAdd(spring, deviation, hn::MulAdd(push, overlap, energy));
      const auto factor = hn::Mul(hn::Mul(two, hn::Sub(spring, push)), inverse);
      AddScaled(pull, factor, apart);
      auto theirs = Load(group.gradient, j);
      AddScaled(theirs, hn::Neg(factor), apart);
      Store(group.gradient, j, theirs);
      if (const auto e = pairs.edge[p]; e >= 0) {
        const auto counting = hn::Mul(counted, deviation);
        moments.sum[e] = hn::GetLane(hn::SumOfLanes(d, counting));
        moments.square[e] = hn::GetLane(hn::SumOfLanes(d, hn::Mul(counting, deviation)));
      }
    }
    auto gradient = Load(group.gradient, i);
    AddScaled(gradient, hn::Set(d, 1.0f), pull);
    Store(group.gradient, i, gradient);
    AddEnergy(energy, group.energy);
  }
}

static void BoundCluster(const float* reference, const std::int32_t* beads, std::size_t count,
                         const StructureGroup& group, float* boxes) {
  const V d;
  const std::size_t n = hn::Lanes(d);
  for (int axis = 0; axis < 3; ++axis) {
    auto low = hn::Set(d, 1e30f), high = hn::Set(d, -1e30f), moved_low = low, moved_high = high;
    for (std::size_t b = 0; b < count; ++b) {
      const auto at = static_cast<std::size_t>(beads[b]) * 3 + axis;
      const auto x = hn::LoadU(d, group.coordinates + at * n), moved = hn::Sub(x, hn::Set(d, reference[at]));
      low = hn::Min(low, x), high = hn::Max(high, x);
      moved_low = hn::Min(moved_low, moved), moved_high = hn::Max(moved_high, moved);
    }
    hn::StoreU(low, d, boxes + axis * n), hn::StoreU(high, d, boxes + (3 + axis) * n);
    hn::StoreU(moved_low, d, boxes + (6 + axis) * n), hn::StoreU(moved_high, d, boxes + (9 + axis) * n);
  }
}

static bool MayClash(const float* a, const float* b, float slack, float clash) {
  const V d;
  const std::size_t n = hn::Lanes(d);
  const auto corner = [&](const float* boxes, int k) HWY_ATTR { return hn::LoadU(d, boxes + k * n); };
  auto moved = hn::Zero(d), gap = hn::Zero(d);
  for (int k = 0; k < 3; ++k) {
    const auto most =
        hn::Max(hn::Sub(corner(a, 9 + k), corner(b, 6 + k)), hn::Sub(corner(b, 9 + k), corner(a, 6 + k)));
    moved = hn::MulAdd(most, most, moved);
  }
  if (hn::AllFalse(d, hn::Gt(moved, hn::Set(d, slack * slack)))) return false;
  for (int k = 0; k < 3; ++k) {
    const auto between =
        hn::Max(hn::Sub(corner(a, k), corner(b, 3 + k)), hn::Sub(corner(b, k), corner(a, 3 + k)));
    const auto along = hn::Max(between, hn::Zero(d));
    gap = hn::MulAdd(along, along, gap);
  }
  return !hn::AllFalse(d, hn::Lt(gap, hn::Set(d, clash * clash)));
}

static void FindMeetings(const float* boxes, std::size_t clusters, const float* slack, float clash,
                         std::vector<std::pair<std::int32_t, std::int32_t>>& meetings) {
  const std::size_t stride = 12 * hn::Lanes(V());
  for (std::size_t a = 0; a < clusters; ++a)
    for (std::size_t b = a; b < clusters; ++b)
      if (MayClash(boxes + a * stride, boxes + b * stride, slack[a * clusters + b], clash))
        meetings.emplace_back(static_cast<std::int32_t>(a), static_cast<std::int32_t>(b));
}

static void PushApart(std::int32_t i, const std::int32_t* others, std::size_t count, const PairList& pairs,
                      const float* radii, float clash, float clash_stiffness, const StructureGroup& group) {
  const V d;
  const auto zero = hn::Zero(d), reach = hn::Set(d, clash * clash), tiny = hn::Set(d, 1e-12f);
  const auto own = Load(group.coordinates, i);
  for (std::size_t b = 0; b < count; ++b) {
    const auto j = others[b];
    const auto apart = Difference(own, Load(group.coordinates, j));
    const auto squared = Square(apart);
    if (hn::AllFalse(d, hn::Lt(squared, reach)) || pairs.contains(i, j)) continue;
    const auto limit = hn::Set(d, radii[i] + radii[j]);
    const auto bounded = hn::Max(squared, tiny), inverse = InverseRoot(bounded);
    const auto overlap = hn::Max(hn::Sub(limit, hn::Mul(bounded, inverse)), zero);
    const auto push = hn::Mul(hn::Set(d, clash_stiffness), overlap);
    const auto factor = hn::Mul(hn::Mul(hn::Set(d, -2.0f), push), inverse);
    auto mine = Load(group.gradient, i);
    AddScaled(mine, factor, apart);
    Store(group.gradient, i, mine);
    auto theirs = Load(group.gradient, j);
    AddScaled(theirs, hn::Neg(factor), apart);
    Store(group.gradient, j, theirs);
    AddEnergy(hn::Mul(push, overlap), group.energy);
  }
}

}  // namespace cryoscape::structure::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cryoscape::structure {
HWY_EXPORT(Lanes);
HWY_EXPORT(PullPairs);
HWY_EXPORT(BoundCluster);
HWY_EXPORT(FindMeetings);
HWY_EXPORT(PushApart);

int restraint_lanes() { return HWY_DYNAMIC_DISPATCH(Lanes)(); }

void pull_pairs(const PairList& pairs, float clash_stiffness, const StructureGroup& group,
                const EdgeMoments& moments) {
  HWY_DYNAMIC_DISPATCH(PullPairs)(pairs, clash_stiffness, group, moments);
}

void bound_cluster(const float* reference, const std::int32_t* beads, std::size_t count,
                   const StructureGroup& group, float* boxes) {
  HWY_DYNAMIC_DISPATCH(BoundCluster)(reference, beads, count, group, boxes);
}

void find_meetings(const float* boxes, std::size_t clusters, const float* slack, float clash,
                   std::vector<std::pair<std::int32_t, std::int32_t>>& meetings) {
  HWY_DYNAMIC_DISPATCH(FindMeetings)(boxes, clusters, slack, clash, meetings);
}

void push_apart(std::int32_t bead, const std::int32_t* others, std::size_t count, const PairList& pairs,
                const float* radii, float clash, float clash_stiffness, const StructureGroup& group) {
  HWY_DYNAMIC_DISPATCH(PushApart)(bead, others, count, pairs, radii, clash, clash_stiffness, group);
}

bool PairList::contains(std::int32_t i, std::int32_t j) const {
  if (i > j) std::swap(i, j);
  return std::binary_search(partner.begin() + start[i], partner.begin() + start[i + 1], j);
}

}  // namespace cryoscape::structure
#endif  // HWY_ONCE
