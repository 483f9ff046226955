using FsCheck;
using FsCheck.Fluent;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Routing;

namespace Mesh.DataPlane.Tests.Routing;

/// <summary>Weights always sum: over draws spread evenly each side of a split has exactly its share, and no draw falls between two sides.</summary>
public class WeightPropertyTests
{
    [Fact]
    public void Each_side_of_a_split_has_exactly_its_weight_of_evenly_spread_draws()
    {
        var weights = Gen.Choose(0, 50).Select(w => (uint)w).ArrayOf().Where(w => w.Length is > 0 and < 20 && w.Any(x => x > 0)).ToArbitrary();
        Prop.ForAll(weights, given =>
        {
            var action = Split(given);
            var total = given.Aggregate(0u, (sum, w) => sum + w);
            var counts = new Dictionary<string, uint>();
            for (var i = 0u; i < total; i++)
            {
                // The middle of each of as many equal parts as there are points.
                var draw = (ulong)(((UInt128)ulong.MaxValue * ((2 * i) + 1)) / (2 * total));
                var chosen = action.Choose(draw).Cluster.Name;
                counts[chosen] = counts.GetValueOrDefault(chosen) + 1;
            }

            return given.Select((w, i) => counts.GetValueOrDefault($"c{i}") == w).All(same => same);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void The_last_draw_of_all_still_finds_a_side()
    {
        var weights = Gen.Choose(1, int.MaxValue).Select(w => (uint)w).ArrayOf(2).ToArbitrary();
        Prop.ForAll(weights, given => Split(given).Choose(ulong.MaxValue).Cluster.Name == "c1" && Split(given).Choose(0).Cluster.Name == "c0")
            .QuickCheckThrowOnFailure();
    }

    private static RouteAction.ToWeightedClusters Split(uint[] weights)
    {
        var sum = 0u;
        var choices = weights
            .Select((w, i) => (Weight: w, Name: $"c{i}"))
            .Where(c => c.Weight > 0)
            .Select(c => new WeightedCluster(new Cluster(c.Name), c.Weight, sum += c.Weight))
            .ToArray();
        return new RouteAction.ToWeightedClusters(choices, System.Net.HttpStatusCode.ServiceUnavailable);
    }
}
