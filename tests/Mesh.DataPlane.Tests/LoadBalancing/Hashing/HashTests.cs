using System.Text;
using Mesh.DataPlane.LoadBalancing.Hashing;

namespace Mesh.DataPlane.Tests.LoadBalancing.Hashing;

public class HashTests
{
    private const ulong Prime32 = 2654435761;

    // The vectors that xxHash's own self-test checks: lengths of its generated buffer, with and without seed.
    [Theory]
    [InlineData(0, 0UL, 0xEF46DB3751D8E999UL)]
    [InlineData(0, Prime32, 0xAC75FDA2929B17EFUL)]
    [InlineData(1, 0UL, 0xE934A84ADB052768UL)]
    [InlineData(1, Prime32, 0x5014607643A9B4C3UL)]
    [InlineData(4, 0UL, 0x9136A0DCA57457EEUL)]
    [InlineData(14, 0UL, 0x8282DCC4994E35C8UL)]
    [InlineData(14, Prime32, 0xC3BD6BF63DEB6DF0UL)]
    [InlineData(222, 0UL, 0xB641AE8CB691C174UL)]
    [InlineData(222, Prime32, 0x20CB8AB7AE10C14AUL)]
    public void XxHash64_passes_the_self_test_of_xxHash(int length, ulong seed, ulong expected)
    {
        var buffer = new byte[length];
        var generator = Prime32;
        for (var i = 0; i < length; i++)
        {
            buffer[i] = (byte)(generator >> 56);
            generator *= 11400714785074694797;
        }

        XxHash64.Hash(buffer, seed).ShouldBe(expected);
    }

    [Theory]
    [InlineData("", 0UL, 0xEF46DB3751D8E999UL)]
    [InlineData("a", 0UL, 0xD24EC4F1A98C6E5BUL)]
    [InlineData("abc", 0UL, 0x44BC2CF5AD770999UL)]
    [InlineData("abc", 1UL, 0xBEA9CA8199328908UL)]
    [InlineData("The quick brown fox jumps over the lazy dog", 0UL, 0x0B242D361FDA71BCUL)]
    public void XxHash64_hashes_text_as_its_bytes(string text, ulong seed, ulong expected)
    {
        XxHash64.Hash(text, seed).ShouldBe(expected);
        XxHash64.Hash(Encoding.UTF8.GetBytes(text), seed).ShouldBe(expected);
    }

    [Fact]
    public void XxHash64_hashes_long_text_as_well()
    {
        XxHash64.Hash(new string('x', 1000)).ShouldBe(0x4CB9A3B69CB700E1UL);
        XxHash64.Hash(new string('ä', 1000)).ShouldBe(XxHash64.Hash(Encoding.UTF8.GetBytes(new string('ä', 1000))));
    }

    // What libstdc++'s std::hash<std::string> answers.
    [Theory]
    [InlineData("", 6142509188972423790UL)]
    [InlineData("a", 4993892634952068459UL)]
    [InlineData("abc", 3663726644998027833UL)]
    [InlineData("abcdefg", 16063891478991045295UL)]
    [InlineData("abcdefgh", 8664279048047335611UL)]
    [InlineData("abcdefghi", 13036955925923793583UL)]
    [InlineData("foo", 9631199822919835226UL)]
    [InlineData("10.0.0.1:80_0", 13659246566588789388UL)]
    [InlineData("The quick brown fox jumps over the lazy dog", 15910076551593770101UL)]
    public void MurmurHash2_is_std_hash(string text, ulong expected) => MurmurHash2.Hash(Encoding.UTF8.GetBytes(text)).ShouldBe(expected);

    [Fact]
    public void The_Mersenne_Twister_makes_the_number_that_the_standard_requires()
    {
        // ISO C++ [rand.predef]: the 10000th of a default-constructed mt19937.
        var random = new MersenneTwister(new uint[MersenneTwister.StateLength], 5489);
        for (var i = 1; i < 10_000; i++)
        {
            random.Next();
        }

        random.Next().ShouldBe(4123659995u);
    }
}
