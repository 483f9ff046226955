using Mesh.DataPlane.Headers;
using Mesh.DataPlane.Upstream;

namespace Mesh.DataPlane.Timeouts;

/// <summary>
/// Tells upstreams how long they are waited for, as Envoy's router does: <c>x-envoy-expected-rq-timeout-ms</c>, and <c>grpc-timeout</c> where the
/// route has taken that over. One try's time, or what is left of all tries' where that is less or a slow try goes on beside the next.
/// </summary>
internal static class ExpectedTimeout
{
    public const string Header = "x-envoy-expected-rq-timeout-ms";

    private const string GrpcHeader = "grpc-timeout";

    /// <summary>gRPC allows eight digits.</summary>
    private const long MaxGrpcMilliseconds = 99_999_999;

    /// <summary>Remembers what the caller's message says itself.</summary>
    public static void Save(AttemptInput input)
    {
        var headers = input.Request.Headers.NonValidated;
        if (input.Plan.TellsTimeout && headers.TryGetValues(Header, out var own))
        {
            input.OwnExpectedTimeout = own.ToString();
        }

        if (input.Plan.WritesGrpcTimeout && headers.TryGetValues(GrpcHeader, out var grpc))
        {
            input.OwnGrpcTimeout = grpc.ToString();
        }
    }

    /// <summary>Writes the headers of one attempt.</summary>
    public static void Write(AttemptInput input, TimeProvider time)
    {
        var plan = input.Plan;
        var expected = plan.ExpectedTimeout;
        if (plan.RouteTimeout > TimeSpan.Zero && input.Clocks.Route != long.MaxValue)
        {
            var left = time.GetElapsedTime(time.GetTimestamp(), input.Clocks.Route);
            expected = left < expected ? left : expected;
        }

        // Nothing would mean for ever.
        var milliseconds = Math.Max(1, (long)expected.TotalMilliseconds);
        var isNew = input.Number == 1;
        if (plan.TellsTimeout)
        {
            Set(input.Request, Header, HeaderNumbers.Text(milliseconds), isNew && input.OwnExpectedTimeout is null);
        }

        if (plan.WritesGrpcTimeout)
        {
            var text = milliseconds <= MaxGrpcMilliseconds
                ? HeaderNumbers.Text(milliseconds) + "m"
                : HeaderNumbers.Text(Math.Min(milliseconds / 1000, MaxGrpcMilliseconds)) + "S";
            Set(input.Request, GrpcHeader, text, isNew && input.OwnGrpcTimeout is null);
        }
    }

    /// <summary>The caller gets the message back as it was.</summary>
    public static void Restore(AttemptInput input)
    {
        if (input.Plan.TellsTimeout)
        {
            Restore(input.Request, Header, input.OwnExpectedTimeout);
        }

        if (input.Plan.WritesGrpcTimeout)
        {
            Restore(input.Request, GrpcHeader, input.OwnGrpcTimeout);
        }
    }

    private static void Set(HttpRequestMessage request, string name, string value, bool isNew)
    {
        if (!isNew)
        {
            request.Headers.Remove(name);
        }

        request.Headers.TryAddWithoutValidation(name, value);
    }

    private static void Restore(HttpRequestMessage request, string name, string? own)
    {
        request.Headers.Remove(name);
        if (own is not null)
        {
            request.Headers.TryAddWithoutValidation(name, own);
        }
    }
}
