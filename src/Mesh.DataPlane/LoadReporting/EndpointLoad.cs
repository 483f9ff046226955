using System.Net;
using Mesh.DataPlane.Resources;

namespace Mesh.DataPlane.LoadReporting;

/// <summary>What one endpoint of a cluster was asked and how it answered, since it is there. Counted on the request's path: no lock, nothing allocated; never reset.</summary>
/// <param name="locality"><c>region/zone/sub-zone</c>.</param>
/// <param name="priority">Its priority.</param>
/// <param name="address">Where it is; <see langword="null"/> for what no endpoint was asked.</param>
internal sealed class EndpointLoad(string locality, uint priority, EndPoint? address)
{
    /// <summary>How many different things are counted.</summary>
    public const int Width = (int)LoadCount.BytesReceived + 1;

    private readonly long[] _counts = new long[Width];

    /// <summary>For endpoints of nobody's cluster.</summary>
    public static EndpointLoad Unreported { get; } = new("", 0, null);

    public string Locality { get; } = locality;

    public uint Priority { get; } = priority;

    public EndPoint? Address { get; } = address;

    /// <summary>What the endpoint says of itself; <see langword="null"/> when nobody asks for it.</summary>
    public OrcaLoad? Orca { get; init; }

    /// <summary>It is no endpoint of the cluster any more: once its last numbers are told, it is forgotten.</summary>
    public bool IsRetired { get; set; }

    public bool IsBusy => InProgress(_counts) > 0 || Value(LoadCount.Connections) > Value(LoadCount.ConnectionsClosed);

    public static EndpointLoad Of(LocalityResource place, EndpointResource endpoint, OrcaLoad? orca)
        => new(place.Locality, place.Priority, endpoint.Address) { Orca = orca };

    public void Count(LoadCount what) => Interlocked.Increment(ref _counts[(int)what]);

    public void Add(LoadCount what, long amount) => Interlocked.Add(ref _counts[(int)what], amount);

    /// <summary>A request is over.</summary>
    /// <param name="status">What its caller got; 0 for nothing.</param>
    /// <param name="grpcStatus">Negative when there is none.</param>
    /// <param name="duration">The whole of it.</param>
    public void CountRequest(int status, int grpcStatus, TimeSpan duration)
    {
        Count(status switch
        {
            0 => LoadCount.RequestsWithoutStatus,
            < 300 => LoadCount.Requests2xx,
            < 400 => LoadCount.Requests3xx,
            < 500 => LoadCount.Requests4xx,
            _ => LoadCount.Requests5xx,
        });
        Add(LoadCount.RequestMicroseconds, (long)duration.TotalMicroseconds);
        if (grpcStatus > 0)
        {
            Count(LoadCount.GrpcErrors);
        }
    }

    public long Value(LoadCount what) => Volatile.Read(ref _counts[(int)what]);

    /// <summary>All numbers. What ends is read before what begins, so that nothing ends that has not begun.</summary>
    public long[] Read()
    {
        var numbers = new long[Width];
        for (var i = Width - 1; i >= 0; i--)
        {
            numbers[i] = Volatile.Read(ref _counts[i]);
        }

        return numbers;
    }

    /// <summary>Attempts that are under way.</summary>
    public static long InProgress(long[] numbers)
        => Math.Max(0, numbers[(int)LoadCount.Issued] - numbers[(int)LoadCount.Succeeded] - numbers[(int)LoadCount.Failed] - numbers[(int)LoadCount.Abandoned]);
}
