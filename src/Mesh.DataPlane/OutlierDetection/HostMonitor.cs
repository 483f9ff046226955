using Mesh.DataPlane.HealthChecking;

namespace Mesh.DataPlane.OutlierDetection;

/// <summary>
/// Is told how each attempt at a host ended (<c>EndpointState.Monitor</c>). Called on the request's path: no lock and no allocation unless a
/// threshold is reached. Not told of requests that the caller cancelled, that never left this process (overflow, injected faults), or whose
/// failure is the caller's own.
/// </summary>
/// <param name="outlier">Outlier detection's record of the host, if the cluster has any.</param>
/// <param name="healthCheck">The host's active health check, if the cluster has any: a response may fail it.</param>
internal sealed class HostMonitor(OutlierHost? outlier, HealthCheckSession? healthCheck)
{
    private const string DegradedHeader = "x-envoy-degraded";
    private const string ImmediateFailureHeader = "x-envoy-immediate-health-check-fail";

    public OutlierHost? Outlier { get; } = outlier;

    public HealthCheckSession? HealthCheck { get; } = healthCheck;

    /// <summary>The headers of a response came.</summary>
    /// <param name="response">The response as the host sent it.</param>
    /// <param name="isGrpc">The request is gRPC, so that <c>grpc-status</c> among the headers outranks the HTTP status.</param>
    public void OnResponse(HttpResponseMessage response, bool isGrpc)
    {
        if (HealthCheck is not null && response.Headers.NonValidated.Contains(ImmediateFailureHeader))
        {
            HealthCheck.FailImmediately();
        }

        if (Outlier is null)
        {
            return;
        }

        var policy = Outlier.Policy;
        if (policy.DetectDegradedHosts && response.Headers.NonValidated.Contains(DegradedHeader))
        {
            Outlier.OnDegraded();
        }

        var status = (int)response.StatusCode;
        if (policy.Errors is { } errors)
        {
            // The matcher alone decides; an error keeps its status if that is one of an error.
            status = errors.IsError(response) ? (status is >= 500 and <= 599 ? status : 500) : 200;
        }
        else if (isGrpc && GrpcOutcome.ReadHttpStatus(response) is { } mapped)
        {
            status = mapped;
        }

        Outlier.OnResponse(status);
    }

    /// <summary>The headers of a response came, and only its status is known; a gRPC status is mapped already.</summary>
    public void OnResponse(int status) => Outlier?.OnResponse(status);

    /// <summary>The attempt ended without a response.</summary>
    public void OnLocalOriginFailure(LocalOriginFailure failure) => Outlier?.OnLocalOriginFailure(failure);

    /// <summary>A connection was made that carries no requests: that is all that is ever known of it. <c>OnResponse</c> includes it.</summary>
    public void OnConnected() => Outlier?.OnConnected();
}
