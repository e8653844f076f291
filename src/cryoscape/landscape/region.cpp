#include "cryoscape/landscape/region.hpp"

#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <string_view>

#include "cryoscape/util/error.hpp"

namespace cryoscape::landscape {
namespace {

/// Reads a condition from left to right and evaluates it for all particles at once.
class Reader {
 public:
  Reader(const std::string& text, const ParticleTable& table) : text_(text), table_(table) {}

  std::vector<bool> read() {
    auto out = any_of();
    skip_space();
    if (at_ < text_.size()) wrong("'and', 'or' or the end");
    return out;
  }

 private:
  using Holds = std::vector<bool>;

  Holds any_of() {
    auto out = all_of();
    while (take_word("or")) {
      const auto other = all_of();
      for (std::size_t i = 0; i < out.size(); ++i) out[i] = out[i] || other[i];
    }
    return out;
  }

  Holds all_of() {
    auto out = one();
    while (take_word("and")) {
      const auto other = one();
      for (std::size_t i = 0; i < out.size(); ++i) out[i] = out[i] && other[i];
    }
    return out;
  }

  Holds one() {
    skip_space();
    if (!take("(")) return comparison();
    auto out = any_of();
    skip_space();
    if (!take(")")) wrong("')'");
    return out;
  }

  /// a < b, or a < b <= c …
  Holds comparison() {
    auto left = operand();
    Holds out(left.size(), true);
    int count = 0;
    for (std::string_view sign = comparator(); !sign.empty(); sign = comparator(), ++count) {
      auto right = operand();
      for (std::size_t i = 0; i < out.size(); ++i) out[i] = out[i] && holds(left[i], sign, right[i]);
      left = std::move(right);
    }
    if (count == 0) wrong("a comparison: <, <=, >, >=, = or !=");
    return out;
  }

  static bool holds(double a, std::string_view sign, double b) {
    if (std::isnan(a) || std::isnan(b)) return false;
    if (sign == "<") return a < b;
    if (sign == "<=") return a <= b;
    if (sign == ">") return a > b;
    if (sign == ">=") return a >= b;
    return (a == b) == (sign != "!=");
  }

  std::string_view comparator() {
    static constexpr std::array<std::string_view, 7> kSigns{"<=", ">=", "==", "!=", "<", ">", "="};
    skip_space();
    for (const auto sign : kSigns)
      if (take(sign)) return sign;
    return {};
  }

  std::vector<double> operand() {
    skip_space();
    double number = 0;
    const char *begin = text_.data() + at_, *end = text_.data() + text_.size();
    if (begin != end &&
        (std::isdigit(static_cast<unsigned char>(*begin)) || *begin == '-' || *begin == '.')) {
      const auto result = std::from_chars(begin, end, number);
      if (result.ec != std::errc()) wrong("a number");
      at_ += static_cast<std::size_t>(result.ptr - begin);
      return std::vector<double>(table_.particles(), number);
    }
    const auto name = word();
    if (name.empty()) wrong("a name or a number");
    const auto* column = table_.find(std::string(name));
    if (!column)
      throw UsageError(fmt::format("--region: there is no '{}'; particles have {}", name, table_.names()));
    at_ += name.size();
    return {column->values.begin(), column->values.end()};
  }

  /// Letters, digits and underscores from here on.
  std::string_view word() const {
    auto end = at_;
    while (end < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[end])) || text_[end] == '_'))
      ++end;
    return std::string_view(text_).substr(at_, end - at_);
  }
  bool take_word(std::string_view wanted) {
    skip_space();
    if (word() != wanted) return false;
    at_ += wanted.size();
    return true;
  }
  bool take(std::string_view wanted) {
    if (!std::string_view(text_).substr(at_).starts_with(wanted)) return false;
    at_ += wanted.size();
    return true;
  }
  void skip_space() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
  }
  [[noreturn]] void wrong(const char* expected) const {
    const auto rest = text_.substr(at_);
    throw UsageError(fmt::format("--region '{}': expected {} {}", text_, expected,
                                 rest.empty() ? "at the end" : fmt::format("where '{}' begins", rest)));
  }

  const std::string& text_;
  const ParticleTable& table_;
  std::size_t at_ = 0;
};

}  // namespace

std::vector<bool> particles_in_region(const std::string& condition, const ParticleTable& table) {
  return Reader(condition, table).read();
}

}  // namespace cryoscape::landscape
