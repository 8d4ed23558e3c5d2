#include <gihflow/base/version.hpp>

#include <iostream>

int main() {
  std::cout << "gihflow " << gihflow::version() << '\n';
}
