using System.Globalization;
using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Upstream;

namespace Mesh.DataPlane.Retry;

/// <summary>Whether an attempt came out in a way that the request may be retried for, in Envoy's order of questions.</summary>
internal static class RetryConditions
{
    public static bool IsRetriable(AttemptPlan plan, in Attempt attempt)
        => attempt.Response is { } response ? IsRetriable(plan, response) : IsRetriable(plan.On, attempt.Failure);

    private static bool IsRetriable(RetryOn on, AttemptFailure failure)
        => failure switch
        {
            AttemptFailure.Connect => on.HasAny(RetryOn.Reset | RetryOn.ResetBeforeRequest | RetryOn.ServerError | RetryOn.GatewayError | RetryOn.ConnectFailure),
            AttemptFailure.RefusedStream => on.HasAny(RetryOn.Reset | RetryOn.ServerError | RetryOn.GatewayError | RetryOn.RefusedStream),
            AttemptFailure.Reset or AttemptFailure.PerTryTimeout or AttemptFailure.StreamDuration => on.HasAny(RetryOn.Reset | RetryOn.ServerError | RetryOn.GatewayError),
            _ => false,
        };

    private static bool IsRetriable(AttemptPlan plan, HttpResponseMessage response)
    {
        var on = plan.On;
        var status = (uint)response.StatusCode;

        // Success is decided by one look: only gRPC failures, and what is listed, hide behind a 2xx.
        if (status < 400 && !on.HasAny(RetryOn.Grpc | RetryOn.RetriableStatusCodes | RetryOn.RetriableHeaders))
        {
            return false;
        }

        // A proxy that sheds load must not get the request again at once.
        var headers = response.Headers.NonValidated;
        if (status >= 400)
        {
            if (headers.Contains("x-envoy-overloaded"))
            {
                return false;
            }

            if (headers.Contains("x-envoy-ratelimited"))
            {
                return on.HasAny(RetryOn.EnvoyRateLimited);
            }
        }

        if ((status >= 500 && on.HasAny(RetryOn.ServerError))
            || (status is 502 or 503 or 504 && on.HasAny(RetryOn.GatewayError))
            || (status == 409 && on.HasAny(RetryOn.Retriable4xx)))
        {
            return true;
        }

        if (on.HasAny(RetryOn.RetriableStatusCodes) && (plan.Retry!.StatusCodes.AsSpan().Contains(status) || plan.Headers?.StatusCodes.Contains(status) == true))
        {
            return true;
        }

        if (on.HasAny(RetryOn.RetriableHeaders) && HasRetriableHeader(plan, response))
        {
            return true;
        }

        return on.HasAny(RetryOn.Grpc)
            && headers.TryGetValues("grpc-status", out var values)
            && int.TryParse(values.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var grpc)
            && on.HasAny(Condition(grpc));
    }

    private static bool HasRetriableHeader(AttemptPlan plan, HttpResponseMessage response)
    {
        var view = new RequestView("", "", "", "", HttpResponseHeaderReader.Instance, response);
        foreach (var matcher in plan.Retry!.ResponseHeaders)
        {
            if (matcher.IsMatch(view))
            {
                return true;
            }
        }

        foreach (var name in plan.Headers?.ResponseHeaders ?? [])
        {
            if (response.Headers.NonValidated.Contains(name))
            {
                return true;
            }
        }

        return false;
    }

    private static RetryOn Condition(int grpcStatus)
        => grpcStatus switch
        {
            1 => RetryOn.GrpcCancelled,
            4 => RetryOn.GrpcDeadlineExceeded,
            8 => RetryOn.GrpcResourceExhausted,
            13 => RetryOn.GrpcInternal,
            14 => RetryOn.GrpcUnavailable,
            _ => RetryOn.None,
        };

    private static bool HasAny(this RetryOn on, RetryOn conditions) => (on & conditions) != 0;
}
