using Mesh.DataPlane.LoadBalancing;

namespace Mesh.DataPlane.Clusters;

/// <summary>One version of a cluster's endpoints with everything about priorities, localities and panic already worked out: a pick only draws.</summary>
internal sealed class EndpointSet(IReadOnlyList<Endpoint> endpoints, LocalityChoice[] choices, uint[] upperBounds)
{
    public static EndpointSet Empty { get; } = new([], [], []);

    /// <summary>All endpoints, unhealthy ones included.</summary>
    public IReadOnlyList<Endpoint> Endpoints { get; } = endpoints;

    /// <summary>The shares, in percent, that the priorities' groups have of the requests; for explanations.</summary>
    public IEnumerable<(uint Percent, LocalityChoice Choice)> Shares
        => choices.Select((c, i) => (upperBounds[i] - (i == 0 ? 0 : upperBounds[i - 1]), c));

    /// <summary>Picks an endpoint, or <see langword="null"/> when no host may be used.</summary>
    public Endpoint? Pick(in PickContext context)
    {
        if (choices.Length == 1)
        {
            return choices[0].Pick(context);
        }

        if (choices.Length == 0)
        {
            return null;
        }

        var point = (uint)Math.BigMul(context.Draw, upperBounds[^1], out _);
        var i = 0;
        while (point >= upperBounds[i])
        {
            i++;
        }

        return choices[i].Pick(context.Next());
    }
}
