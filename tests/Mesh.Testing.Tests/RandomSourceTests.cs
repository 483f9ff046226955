namespace Mesh.Testing.Tests;

public sealed class RandomSourceTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(100)]
    [InlineData(1000)]
    public void Draws_each_part_once_in_any_stretch_of_one_period(int period)
    {
        var source = new EvenRandomSource(period);
        for (var skip = 0; skip < period / 3; skip++)
        {
            source.NextUInt64();
        }

        var parts = Enumerable.Range(0, period).Select(_ => source.Next((uint)period)).ToHashSet();

        parts.Count.ShouldBe(period);
    }

    [Fact]
    public void Does_not_draw_neighbouring_parts_one_after_another()
    {
        var source = new EvenRandomSource(100);
        var draws = Enumerable.Range(0, 100).Select(_ => (int)source.Next(100)).ToList();

        draws.Zip(draws.Skip(1)).ShouldAllBe(pair => Math.Abs(pair.First - pair.Second) > 10);
    }

    [Fact]
    public void Needs_at_least_one_part() => Should.Throw<ArgumentOutOfRangeException>(() => new EvenRandomSource(0));

    [Fact]
    public void Repeats_a_seeded_sequence_and_spreads_it()
    {
        var source = new SeededRandomSource(42);
        var again = new SeededRandomSource(42);
        var draws = Enumerable.Range(0, 10_000).Select(_ => source.Next(10)).ToList();

        draws.ShouldBe(Enumerable.Range(0, 10_000).Select(_ => again.Next(10)));
        draws.GroupBy(d => d).ShouldAllBe(group => group.Count() > 900 && group.Count() < 1100);
    }
}
