#include "flow/rodas5p.hpp"

#include <utility>

#include "flow/method.hpp"

namespace gihflow {

// clang-format off
const Eigen::Matrix<double, 5, 5> Rodas5P::a{
    {3.0, 0, 0, 0, 0},
    {2.849394379747939, 0.45842242204463923, 0, 0, 0},
    {-6.954028509809101, 2.489845061869568, -10.358996098473584, 0, 0},
    {2.8029986275628964, 0.5072464736228206, -0.3988312541770524, -0.04721187230404641, 0},
    {-7.502846399306121, 2.561846144803919, -11.627539656261098, -0.18268767659942256,
     0.030198172008377946}};
const Eigen::Matrix<double, 7, 7> Rodas5P::c{
    {-14.155112264123755, 0, 0, 0, 0, 0, 0},
    {-17.97296035885952, -2.859693295451294, 0, 0, 0, 0, 0},
    {147.12150275711716, -1.41221402718213, 71.68940251302358, 0, 0, 0, 0},
    {165.43517024871676, -0.4592823456491126, 42.90938336958603, -5.961986721573306, 0, 0, 0},
    {24.854864614690072, -3.0009227002832186, 47.4931110020768, 5.5814197821558125,
     -0.6610691825249471, 0, 0},
    {30.91273214028599, -3.1208243349937974, 77.79954646070892, 34.28646028294783,
     -19.097331116725623, -28.087943162872662, 0},
    {37.80277123390563, -3.2571969029072276, 112.26918849496327, 66.9347231244047,
     -40.06618937091002, -54.66780262877968, -9.48861652309627}};
const Eigen::Matrix<double, 8, 3> Rodas5P::h{
    {25.948786856663858, -9.91568850695171, 11.419903575922262},
    {-2.5579724845846235, -0.9689944594115154, 2.8879645146136994},
    {10.433815404888879, 3.0438037242978453, 72.92137995996029},
    {-2.3679251022685204, -24.495224566215796, 80.12511834622643},
    {0.524948541321073, 20.176138334709044, -52.072871366152654},
    {1.1241088310450404, 15.98066361424651, -59.78993625266729},
    {0.4272876194431874, -6.789040303419874, -0.15582684282751913},
    {-0.17202221070155493, -6.710236069923372, 4.883087185713722}};
// clang-format on

namespace {

class Rodas5PMethod final : public Method {
 public:
  std::string name() const override { return "rodas5p"; }
  int order() const override { return 5; }
  bool uses_jacobian() const override { return true; }

  void step(const RightHandSide& f, const StepStart& start, double dt, StepEnd& end) override {
    const auto slope = [&](const Eigen::VectorXd& x, Eigen::VectorXd& dxdt, double) { f(x, dxdt); };
    const auto jacobian = [&](const Eigen::VectorXd&, Eigen::MatrixXd& j, double) {
      j = start.jacobian;
    };
    stepper_.do_step(std::pair(slope, jacobian), start.x, start.slope, 0.0, end.x, dt, end.error);
    f(end.x, end.slope);
  }

  void interpolate(const RightHandSide&, const StepStart& start, const StepEnd& end, double dt,
                   double dt_out, Eigen::VectorXd& out) override {
    stepper_.calc_state(dt_out / dt, out, start.x, end.x);
  }

 private:
  Rodas5P stepper_;
};

}  // namespace

std::unique_ptr<Method> make_rodas5p() {
  return std::make_unique<Rodas5PMethod>();
}

}  // namespace gihflow
