#include "cryoscape/model/spectral_kernel.hpp"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cryoscape/model/spectral_kernel.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace cryoscape::model::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Complex = std::complex<float>;
using V8 = hn::CappedTag<float, 8>;
using V1 = hn::CappedTag<float, 1>;

// A vector of complex numbers.
template <class D>
struct Pair {
  hn::Vec<D> re, im;

  HWY_INLINE Pair(D d, const Complex* from) {
    hn::LoadInterleaved2(d, reinterpret_cast<const float*>(from), re, im);
  }
  HWY_INLINE void Store(D d, Complex* to) const {
    hn::StoreInterleaved2(re, im, d, reinterpret_cast<float*>(to));
  }
  HWY_INLINE hn::Vec<D> Square() const { return hn::MulAdd(re, re, hn::Mul(im, im)); }
};

// body(tag, first coefficient) over whole vectors, then one by one.
template <class Body>
static HWY_INLINE void ForEach(std::size_t begin, std::size_t end, Body&& body) {
  const V8 d;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t f = begin;
  for (; f + lanes <= end; f += lanes) body(d, f);
  for (; f < end; ++f) body(V1(), f);
}

// Sums in single precision over so many coefficients, in double beyond.
constexpr std::size_t kBlock = 256;

// The sums of one block; remainders go to lanes of their own.
template <class D>
struct BlockSums {
  hn::Vec<D> a, b, c, measured;

  HWY_INLINE BlockSums() { a = b = c = measured = hn::Zero(D()); }
  HWY_INLINE void Add(std::size_t f, const Complex* data, const Complex* prediction,
                      const SpectralTerms& terms) {
    const D d;
    const Pair<D> x(d, data + f), q(d, prediction + f);
    const auto square = x.Square(), zero = hn::Zero(d);
    const auto there = hn::Ne(square, zero);
    const auto weight = hn::LoadU(d, terms.weight + f), gain = hn::LoadU(d, terms.gain + f),
               count = hn::LoadU(d, terms.multiplicity + f);
    const auto w = hn::IfThenElseZero(there, hn::Mul(weight, count)), wg = hn::Mul(w, gain);
    a = hn::MulAdd(w, square, a);
    b = hn::MulAdd(wg, hn::MulAdd(x.re, q.re, hn::Mul(x.im, q.im)), b);
    c = hn::MulAdd(hn::Mul(wg, gain), q.Square(), c);
    measured = hn::Add(measured, hn::IfThenElseZero(hn::And(there, hn::Gt(weight, zero)), count));
  }
  HWY_INLINE void AddTo(QuadraticForm& total) const {
    const auto sum = [](hn::Vec<D> v) HWY_ATTR { return hn::GetLane(hn::SumOfLanes(D(), v)); };
    total.a += sum(a), total.b += sum(b), total.c += sum(c), total.measured += sum(measured);
  }
};

static QuadraticForm Quadratic(std::size_t size, const Complex* data, const Complex* prediction,
                               const SpectralTerms& terms) {
  QuadraticForm total;
  const std::size_t lanes = hn::Lanes(V8());
  for (std::size_t begin = 0; begin < size; begin += kBlock) {
    const std::size_t end = std::min(size, begin + kBlock), whole = end - (end - begin) % lanes;
    BlockSums<V8> vectors;
    for (std::size_t f = begin; f < whole; f += lanes) vectors.Add(f, data, prediction, terms);
    vectors.AddTo(total);
    BlockSums<V1> rest;
    for (std::size_t f = whole; f < end; ++f) rest.Add(f, data, prediction, terms);
    if (whole < end) rest.AddTo(total);
  }
  return total;
}

static void Gradient(std::size_t size, const Complex* data, const float* ctf, const SpectralTerms& terms,
                     float of_data, float of_prediction, Complex* prediction) {
  ForEach(0, size, [&](auto d, std::size_t f) HWY_ATTR {
    using D = decltype(d);
    const Pair<D> x(d, data + f);
    Pair<D> q(d, prediction + f);
    const auto gain = hn::LoadU(d, terms.gain + f);
    auto factor = hn::Mul(gain, hn::LoadU(d, terms.weight + f));
    if (ctf) factor = hn::Mul(factor, hn::LoadU(d, ctf + f));
    factor = hn::IfThenElseZero(hn::Ne(x.Square(), hn::Zero(d)), factor);
    const auto along_data = hn::Mul(factor, hn::Set(d, of_data)),
               along_prediction = hn::Mul(factor, hn::Mul(gain, hn::Set(d, of_prediction)));
    q.re = hn::MulAdd(along_data, x.re, hn::Mul(along_prediction, q.re));
    q.im = hn::MulAdd(along_data, x.im, hn::Mul(along_prediction, q.im));
    q.Store(d, prediction + f);
  });
}

static void AddCoefficients(std::size_t size, const Complex* data, const Complex* prediction, float contrast,
                            float contrast_square, const CoefficientSums& sums) {
  ForEach(0, size, [&](auto d, std::size_t f) HWY_ATTR {
    using D = decltype(d);
    const Pair<D> x(d, data + f), q(d, prediction + f);
    const auto square = x.Square();
    const auto there = hn::Ne(square, hn::Zero(d));
    const auto add = [&](float* to, hn::Vec<D> value) HWY_ATTR {
      hn::StoreU(hn::Add(hn::LoadU(d, to + f), hn::IfThenElseZero(there, value)), d, to + f);
    };
    add(sums.data, square);
    add(sums.cross, hn::Mul(hn::Set(d, contrast), hn::MulAdd(x.re, q.re, hn::Mul(x.im, q.im))));
    add(sums.prediction, hn::Mul(hn::Set(d, contrast_square), q.Square()));
    add(sums.count, hn::Set(d, 1.0f));
  });
}

static void Multiply(std::size_t size, const float* filter, Complex* spectrum) {
  ForEach(0, size, [&](auto d, std::size_t f) HWY_ATTR {
    Pair<decltype(d)> q(d, spectrum + f);
    const auto factor = hn::LoadU(d, filter + f);
    q.re = hn::Mul(q.re, factor), q.im = hn::Mul(q.im, factor);
    q.Store(d, spectrum + f);
  });
}

}  // namespace cryoscape::model::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cryoscape::model {
HWY_EXPORT(Quadratic);
HWY_EXPORT(Gradient);
HWY_EXPORT(AddCoefficients);
HWY_EXPORT(Multiply);

QuadraticForm quadratic_form(std::size_t size, const std::complex<float>* data,
                             const std::complex<float>* prediction, const SpectralTerms& terms) {
  return HWY_DYNAMIC_DISPATCH(Quadratic)(size, data, prediction, terms);
}

void spectral_gradient(std::size_t size, const std::complex<float>* data, const float* ctf,
                       const SpectralTerms& terms, float of_data, float of_prediction,
                       std::complex<float>* prediction) {
  HWY_DYNAMIC_DISPATCH(Gradient)(size, data, ctf, terms, of_data, of_prediction, prediction);
}

void add_coefficients(std::size_t size, const std::complex<float>* data,
                      const std::complex<float>* prediction, float contrast, float contrast_square,
                      const CoefficientSums& sums) {
  HWY_DYNAMIC_DISPATCH(AddCoefficients)(size, data, prediction, contrast, contrast_square, sums);
}

void multiply(std::size_t size, const float* filter, std::complex<float>* spectrum) {
  HWY_DYNAMIC_DISPATCH(Multiply)(size, filter, spectrum);
}

}  // namespace cryoscape::model
#endif  // HWY_ONCE
