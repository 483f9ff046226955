using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Net;
using Google.Protobuf;
using Grpc.Health.V1;
using Mesh.DataPlane.Transports;
using Mesh.Xds.Grpc;

namespace Mesh.DataPlane.HealthChecking;

/// <summary>Asks by <c>grpc.health.v1.Health/Check</c> (<c>grpc_health_check</c>): SERVING is healthy, anything else is not.</summary>
internal sealed class GrpcHealthCheck : HealthCheckKind
{
    private const int MaxMessage = 64 * 1024;

    public string ServiceName { get; init; } = "";

    /// <summary>The <c>:authority</c>; empty: the cluster's name.</summary>
    public string Authority { get; init; } = "";

    public CheckHeader[] InitialMetadata { get; init; } = [];

    public bool ReuseConnection { get; init; } = true;

    public required TimeSpan Timeout { get; init; }

    public override HealthProbe CreateProbe(HealthCheckTarget target) => new Probe(this, target);

    private sealed class Probe(GrpcHealthCheck check, HealthCheckTarget target) : HealthProbe
    {
        private readonly byte[] _message = Frame(new HealthCheckRequest { Service = check.ServiceName });
        private IEndpointTransport? _transport;

        public override async Task<HealthCheckOutcome> CheckAsync(CancellationToken cancellationToken)
        {
            var transport = Volatile.Read(ref _transport);
            if (transport is null)
            {
                transport = target.Connect(UpstreamProtocol.Http2);
                Volatile.Write(ref _transport, transport);
            }

            var clean = false;
            try
            {
                using var request = CreateRequest();
                using var response = await transport.SendAsync(request, cancellationToken).ConfigureAwait(false);
                var outcome = await JudgeAsync(response, cancellationToken).ConfigureAwait(false);
                clean = true;
                return outcome;
            }
            finally
            {
                if (!clean || !check.ReuseConnection)
                {
                    Dispose();
                }
            }
        }

        public override void Dispose() => Interlocked.Exchange(ref _transport, null)?.Dispose();

        private HttpRequestMessage CreateRequest()
        {
            var request = new HttpRequestMessage(HttpMethod.Post, "http://health-check/grpc.health.v1.Health/Check")
            {
                Version = HttpVersion.Version20,
                VersionPolicy = HttpVersionPolicy.RequestVersionExact,
                Content = new ByteArrayContent(_message),
            };
            request.Content.Headers.TryAddWithoutValidation("Content-Type", "application/grpc");
            request.Headers.TryAddWithoutValidation("Host", target.EndpointHostname ?? (check.Authority.Length > 0 ? check.Authority : target.Hostname));
            request.Headers.TryAddWithoutValidation("User-Agent", HttpHealthCheck.UserAgent);
            request.Headers.TryAddWithoutValidation("te", "trailers");
            request.Headers.TryAddWithoutValidation(GrpcHeaderNames.Timeout, GrpcTimeout.Format(check.Timeout));
            foreach (var header in check.InitialMetadata)
            {
                header.Apply(request);
            }

            return request;
        }

        private static async Task<HealthCheckOutcome> JudgeAsync(HttpResponseMessage response, CancellationToken cancellationToken)
        {
            // Trailers-only, an HTTP error, or no gRPC at all.
            var contentType = response.Content.Headers.NonValidated.TryGetValues("content-type", out var values) ? values.ToString() : null;
            if (response.StatusCode != HttpStatusCode.OK || !GrpcHeaderNames.IsGrpcContentType(contentType) || GrpcFailures.ReadStatus(response.Headers) is not null)
            {
                return HealthCheckOutcome.Failed;
            }

            try
            {
                var reader = new GrpcMessageReader(PipeReader.Create(await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false)), GrpcEncoding.Identity, MaxMessage);
                var answer = await reader.ReadAsync(HealthCheckResponse.Parser, cancellationToken).ConfigureAwait(false);
                if (answer is null || await reader.ReadAsync(HealthCheckResponse.Parser, cancellationToken).ConfigureAwait(false) is not null)
                {
                    return HealthCheckOutcome.Failed;
                }

                return GrpcFailures.ReadStatus(response.TrailingHeaders) is { Code: StatusCode.Ok } && answer.Status == HealthCheckResponse.Types.ServingStatus.Serving
                    ? HealthCheckOutcome.Passed
                    : HealthCheckOutcome.Failed;
            }
            catch (RpcException)
            {
                return HealthCheckOutcome.Failed; // What came is not the answer of a health service.
            }
        }

        private static byte[] Frame(HealthCheckRequest message)
        {
            var frame = new byte[5 + message.CalculateSize()];
            BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(1), (uint)(frame.Length - 5));
            message.WriteTo(frame.AsSpan(5));
            return frame;
        }
    }
}
