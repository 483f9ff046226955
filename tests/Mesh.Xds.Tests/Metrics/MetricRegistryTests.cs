using Mesh.Xds.Metrics;

namespace Mesh.Xds.Tests.Metrics;

public sealed class MetricRegistryTests
{
    [Fact]
    public void A_cell_is_found_once_and_stays_the_same()
    {
        var family = new MetricRegistry().Counter("things_total", "Things.", "kind", "color");

        var cell = family.Cell("a", "red");

        family.Cell("a", "red").ShouldBeSameAs(cell);
        family.Cell("red", "a").ShouldNotBeSameAs(cell);
        cell.Values.ShouldBe(["a", "red"]);
    }

    [Fact]
    public void A_second_registration_gives_the_same_family_and_another_meaning_of_the_name_is_refused()
    {
        var registry = new MetricRegistry();
        var family = registry.Counter("things_total", "Things.", "kind");

        registry.Counter("things_total", "Things.", "kind").ShouldBeSameAs(family);
        Should.Throw<ArgumentException>(() => registry.Gauge("things_total", "Things.", "kind")).Message.ShouldContain("things_total");
        Should.Throw<ArgumentException>(() => registry.Counter("things_total", "Things.", "color"));
        Should.Throw<ArgumentException>(() => registry.Observe(new("things_total", MetricType.Counter, "Things.", "kind"), _ => { }));
    }

    [Theory]
    [InlineData("")]
    [InlineData("1a")]
    [InlineData("a-b")]
    [InlineData("a b")]
    [InlineData("a\nb")]
    public void A_name_that_no_query_could_say_is_refused(string name)
        => Should.Throw<ArgumentException>(() => new MetricRegistry().Counter(name, "Things."));

    [Theory]
    [InlineData("le")]
    [InlineData("__name__")]
    [InlineData("a:b")]
    [InlineData("twice", "twice")]
    public void A_label_that_no_query_could_say_is_refused(params string[] labels)
        => Should.Throw<ArgumentException>(() => new MetricRegistry().Histogram("things", "Things.", [1], labels));

    [Fact]
    public void Buckets_must_ascend()
    {
        Should.Throw<ArgumentException>(() => new MetricRegistry().Histogram("a", "A.", []));
        Should.Throw<ArgumentException>(() => new MetricRegistry().Histogram("b", "B.", [1, 1]));
        Should.Throw<ArgumentException>(() => new MetricRegistry().Histogram("c", "C.", [1, double.PositiveInfinity]));
    }

    [Fact]
    public void A_value_falls_into_the_first_bucket_whose_bound_it_does_not_exceed()
    {
        var cell = new MetricRegistry().Histogram("sizes", "Sizes.", [0.5, 1, 5]).Cell();

        foreach (var value in (double[])[0, 0.5, 0.6, 1, 4.9, 5, 5.1, 1e12])
        {
            cell.Record(value);
        }

        Buckets(cell).ShouldBe([2, 2, 2, 2]);
        cell.Sum.ShouldBe(0.5 + 0.6 + 1 + 4.9 + 5 + 5.1 + 1e12, 1e-3);
        cell.Count.ShouldBe(8);
    }

    [Fact]
    public void A_family_that_is_full_counts_in_one_cell_and_tells()
    {
        var registry = new MetricRegistry(maxCells: 3);
        var family = registry.Counter("things_total", "Things.", "kind");
        for (var i = 0; i < 1_000; i++)
        {
            family.Cell("kind" + i).Increment();
        }

        family.Count.ShouldBe(4);
        family.Cell("kind1").Value.ShouldBe(1);
        family.Cell(CardinalityLimit.OverflowValue).Value.ShouldBe(997);
        registry.Counter(CardinalityLimit.Metric, "", "metric").Cell("things_total").Value.ShouldBe(997);
    }

    [Fact]
    public void A_label_set_that_is_taken_away_makes_room()
    {
        var family = new MetricRegistry(maxCells: 1).Gauge("things", "Things.", "kind");
        family.Cell("a").Set(1);

        family.Remove("a").ShouldBeTrue();

        family.Remove("a").ShouldBeFalse();
        family.TryCell(out _, "b").ShouldBeTrue();
        family.TryCell(out _, "a").ShouldBeFalse();
    }

    [Fact]
    public async Task Recording_on_many_threads_loses_nothing()
    {
        const int Threads = 8;
        const int Rounds = 20_000;
        var registry = new MetricRegistry();
        var counter = registry.Counter("things_total", "Things.").Cell();
        var gauge = registry.Gauge("level", "Level.").Cell();
        var histogram = registry.Histogram("sizes", "Sizes.", [1, 2, 3]).Cell();

        await Task.WhenAll(Enumerable.Range(0, Threads).Select(thread => Task.Run(() =>
        {
            for (var i = 0; i < Rounds; i++)
            {
                counter.Add(2);
                gauge.Add(thread % 2 == 0 ? 1 : -1);
                histogram.Record((i % 4) + 0.5);
                _ = registry.Counter("raced_total", "Raced.", "n").Cell((i % 50).ToString());
            }
        })));

        counter.Value.ShouldBe(2L * Threads * Rounds);
        gauge.Value.ShouldBe(0);
        Buckets(histogram).ShouldBe(Enumerable.Repeat((long)Threads * Rounds / 4, 4));
        histogram.Sum.ShouldBe(2.0 * Threads * Rounds);
        registry.Counter("raced_total", "Raced.", "n").Count.ShouldBe(50);
    }

    [Fact]
    public void Threads_that_come_and_go_lose_nothing()
    {
        const int Threads = 100;
        const int Rounds = 2_000;
        var registry = new MetricRegistry();
        var counter = registry.Counter("things_total", "Things.").Cell();
        var histogram = registry.Histogram("sizes", "Sizes.", [1, 2, 3]).Cell();

        for (var wave = 0; wave < 3; wave++)
        {
            var threads = Enumerable.Range(0, Threads).Select(_ => new Thread(() =>
            {
                for (var i = 0; i < Rounds; i++)
                {
                    counter.Increment();
                    histogram.Record(2.5);
                }
            })).ToList();
            threads.ForEach(thread => thread.Start());
            threads.ForEach(thread => thread.Join());
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        counter.Value.ShouldBe(3 * Threads * Rounds);
        (histogram.Count, histogram.Sum).ShouldBe((3 * Threads * Rounds, 3 * Threads * Rounds * 2.5));
    }

    [Fact]
    public void Recording_allocates_nothing()
    {
        var registry = new MetricRegistry();
        var counter = registry.Counter("things_total", "Things.").Cell();
        var gauge = registry.Gauge("level", "Level.").Cell();
        var histogram = registry.Histogram("sizes", "Sizes.", [1, 2, 3]).Cell();

        Allocated(() =>
        {
            counter.Increment();
            gauge.Add(1);
            histogram.Record(2);
        }).ShouldBe(0);
    }

    [Fact]
    public void What_is_observed_is_asked_each_time_until_it_is_taken_away()
    {
        var registry = new MetricRegistry();
        var level = 1.0;
        var taken = registry.Observe("level", "Level.", () => level);

        Exposition.Text(registry).ShouldContain("\nlevel 1\n");
        level = 2;
        Exposition.Text(registry).ShouldContain("\nlevel 2\n");
        taken.Dispose();
        taken.Dispose();
        Exposition.Text(registry).ShouldNotContain("level");
    }

    private static long[] Buckets(HistogramCell cell)
    {
        var seen = new Seen();
        cell.Show(seen);
        return seen.Counts;
    }

    // The smallest of several rounds: the runtime allocates now and then on this thread for purposes of its own.
    private static long Allocated(Action action)
    {
        var least = long.MaxValue;
        for (var round = 0; round < 5; round++)
        {
            action();
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 1_000; i++)
            {
                action();
            }

            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }

    private sealed class Seen : IMetricVisitor
    {
        public long[] Counts { get; private set; } = [];

        public void Family(MetricFamily family)
        {
        }

        public void Value(ReadOnlySpan<string> labels, double value)
        {
        }

        public void Histogram(ReadOnlySpan<string> labels, in HistogramReading reading) => Counts = reading.Counts.ToArray();
    }
}
