import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xenprof.images.cxxabi import by_llvm
from xenprof.images.demangle import demangle
from xenprof.images.stlnames import smart

# As `c++filt -i` of binutils 2.40 prints them: libiberty without its verbose option, as opreport.
GNU = {
    "_ZNSt6vectorIiSaIiEE9push_backERKi": "std::vector<int, std::allocator<int> >::push_back(int const&)",
    "_ZNSs6appendEPKc": "std::string::append(char const*)",
    "_ZN12_GLOBAL__N_15innerEi": "(anonymous namespace)::inner(int)",
    "_ZStlsISt11char_traitsIcEERSt13basic_ostreamIcT_ES5_c": "std::basic_ostream<char, std::char_traits<char> >& std::operator<< <std::char_traits<char> >(std::basic_ostream<char, std::char_traits<char> >&, char)",
    "_ZNSolsEDn": "std::ostream::operator<<(decltype(nullptr))",
    "_ZNKSt16bad_array_lengthcvPKcEv": "std::bad_array_length::operator char const*() const",
    "_ZStrsIcSt11char_traitsIcEERSt13basic_istreamIT_T0_ES6_St12_Setiosflags": "std::basic_istream<char, std::char_traits<char> >& std::operator>><char, std::char_traits<char> >(std::basic_istream<char, std::char_traits<char> >&, std::_Setiosflags)",
    "_ZN1AptEv": "A::operator->()",
    "_ZGTtNKSt9exception4whatEv": "transaction clone for std::exception::what() const",
    "_ZTV1A": "vtable for A",
    "_Z3fooILi5EEvv": "void foo<5>()",
    "_Z5applyIZ4mainEUliE_EiT_i": "int apply<main::{lambda(int)#1}>(main::{lambda(int)#1}, int)",
    "_Z3fooIiEvT_.part.2.isra.3": "void foo<int>(int) [clone .part.2] [clone .isra.3]",
    "_ZN3geo5ShapeD2Ev.cold": "geo::Shape::~Shape() [clone .cold]",
    "_ZSt9__fill_a1IPiiEN9__gnu_cxx11__enable_ifIXsrSt11__is_scalarIT0_E7__valueEvE6__typeET_S8_RKS4_": "__gnu_cxx::__enable_if<std::__is_scalar<int>::__value, void>::__type std::__fill_a1<int*, int>(int*, int*, int const&)",
    "_GLOBAL__I__Z3foov": "global constructors keyed to foo()",
}  # fmt: skip


@pytest.mark.parametrize("name", GNU)
def test_demangles_as_gnu_does(name: str) -> None:
    assert GNU[name] == demangle(name)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("_ZNSt6vectorIiSaIiEE9push_backERKi", "std::vector<int, std::allocator<int> >::push_back(int const&)"),
        ("_Z3fooIiEvT_.part.2.isra.3", "void foo<int>(int) [clone .part.2] [clone .isra.3]"),
        ("_ZGTtNKSt9exception4whatEv", "transaction clone for std::exception::what() const"),
        ("_Z", ""),
    ],
)  # fmt: skip
def test_llvm_demangles_in_the_same_style_where_there_is_no_libstdcxx(name: str, text: str) -> None:
    assert text == by_llvm(name)


@pytest.mark.parametrize(
    "name",
    ["main", "_GLOBAL__sub_I_main", "schedule", "_Z", "_Zfoo", "__libc_start_main", "_stext", ""],
)
def test_other_names_stay_as_they_are(name: str) -> None:
    assert name == demangle(name) == smart(name)


# As opreport 1.5 prints them.
SMART = {
    "_ZNSt6vectorIiSaIiEE9push_backERKi": "vector<int>::push_back(int const&)",
    "_ZNSt3mapIiiSt4lessIiESaISt4pairIKiiEEE5clearEv": "map<int, int>::clear()",
    "_ZNSt3setIlSt4lessIlESaIlEE5clearEv": "set<long>::clear()",
    "_ZN12_GLOBAL__N_15innerEi": "inner(int)",
    "_Z1fNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE": "f(__cxx11::string)",
    "_Z1fRSt13basic_ostreamIwSt11char_traitsIwEE": "f(wostream&)",
    "_Z1fSt4listISt6vectorIiSaIiEESaIS2_EE": "f(list<vector<int>>)",
    "_ZNSt6vectorISt4pairIiS0_IiiEESaIS2_EE5clearEv": "vector<pair<int, pair<int, int>>, allocator<pair<int, pair<int, int>>>>::clear()",
    "_ZNSt17_Rb_tree_iteratorISt4pairIKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEESt6vectorIN3geo4PolyIdLi4EEESaISB_EEEEmmEv": "_Rb_tree_iterator<pair<__cxx11::string const, vector<geo::Poly<double, 4>, allocator<geo::Poly<double, 4>>>>>::operator--()",
}


@pytest.mark.parametrize("name", SMART)
def test_smart_names_have_short_types(name: str) -> None:
    assert SMART[name] == smart(name)


@given(st.text(max_size=60))
def test_any_name_gives_a_name(text: str) -> None:
    for name in (text, f"_Z{text}"):
        assert isinstance(demangle(name), str)
        assert isinstance(smart(name), str)


def bomb(levels: int) -> str:
    """Return a name whose parts double at each of `levels`."""
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    parts = "".join(f"S0_IS{digits[i]}_S{digits[i]}_E" for i in range(1, levels))
    return f"_Z1f1A1PIS_S_E{parts}"


def test_a_name_that_stands_for_gigabytes_stays_as_it_is() -> None:
    assert bomb(30) == demangle(bomb(30))


def test_a_long_name_with_many_references_is_demangled() -> None:
    name = "_Z1fP1A" + "S0_" * 40
    assert "f(A*" + ", A*" * 40 + ")" == demangle(name)


def test_names_of_c_need_no_demangler() -> None:
    code = "import sys; from xenprof.images.demangle import demangle; demangle('main'); print('pycxxfilt' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "False\n" == done.stdout
