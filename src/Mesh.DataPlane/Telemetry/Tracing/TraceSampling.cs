namespace Mesh.DataPlane.Telemetry.Tracing;

/// <summary>Which requests are traced that nobody has decided about yet, in ten-thousandths as Envoy counts them.</summary>
/// <param name="Client">Of those whose client asks (<c>client_sampling</c>).</param>
/// <param name="Random">Of all others (<c>random_sampling</c>).</param>
/// <param name="Overall">Of those that are to be traced for any of these reasons (<c>overall_sampling</c>).</param>
internal readonly record struct TraceSampling(uint Client, uint Random, uint Overall)
{
    public const uint All = 10_000;

    private const string ForceTrace = "x-envoy-force-trace";
    private const string ClientTraceId = "x-client-trace-id";

    private static readonly Matching.HeaderName ForceTraceName = new(ForceTrace);

    /// <summary>What Envoy does where nothing is said: everything is traced.</summary>
    public static TraceSampling Everything { get; } = new(All, All, All);

    public static Matching.HeaderName ClientTraceIdName { get; } = new(ClientTraceId);

    /// <summary>Decides by the request's id, and writes into it what has been decided.</summary>
    /// <param name="record">The request; its id may change.</param>
    /// <param name="rules">What is read of the id and written to it.</param>
    /// <param name="random">The chance of clients that ask; drawn from only where it decides.</param>
    public TraceReason Decide(RequestRecord record, RequestIdRules rules, IRandomSource random)
    {
        if (!rules.DecidesSampling)
        {
            return TraceReason.Sampling;
        }

        if (!RequestIds.TryGetNumber(record.RequestId, out var number))
        {
            return TraceReason.NotTraceable;
        }

        var said = RequestIds.ReasonOf(record.RequestId);
        var reason = said;
        var share = number % All;
        if (reason == TraceReason.NotTraceable)
        {
            reason = Has(record, ClientTraceIdName) && new Matching.Fraction(Client, All).Happens(random) ? TraceReason.ClientForced
                : Has(record, ForceTraceName) ? TraceReason.ServiceForced
                : share < Random ? TraceReason.Sampling
                : TraceReason.NotTraceable;
        }

        if (reason != TraceReason.NotTraceable && share >= Overall)
        {
            reason = TraceReason.NotTraceable;
        }

        if (reason != said && rules.TellsReason)
        {
            record.RequestId = RequestIds.With(record.RequestId!, reason);
        }

        return reason;
    }

    private static bool Has(RequestRecord record, Matching.HeaderName name)
        => record.Request is { } request && record.RequestHeaders?.TryGet(request, name, out _) == true;
}
