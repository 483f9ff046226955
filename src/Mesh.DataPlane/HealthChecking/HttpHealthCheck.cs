using System.Net;
using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Transports;

namespace Mesh.DataPlane.HealthChecking;

/// <summary>Asks by an HTTP request (<c>http_health_check</c>).</summary>
internal sealed class HttpHealthCheck : HealthCheckKind
{
    public const string UserAgent = "Envoy/HC";

    // Envoy bounds only what it compares; a host may not feed a check for ever.
    private const int MaxBody = 1 << 20;

    public required HttpMethod Method { get; init; }

    public required string Path { get; init; }

    /// <summary>The Host header; empty: the cluster's name.</summary>
    public string Host { get; init; } = "";

    public byte[]? Send { get; init; }

    public byte[][] Receive { get; init; } = [];

    /// <summary>How much of the answer is compared; 0 is all.</summary>
    public ulong ResponseBufferSize { get; init; } = 1024;

    public CheckHeader[] AddedHeaders { get; init; } = [];

    public string[] RemovedHeaders { get; init; } = [];

    /// <summary>Half-open ranges.</summary>
    public (int Start, int End)[] ExpectedStatuses { get; init; } = [(200, 201)];

    /// <inheritdoc cref="ExpectedStatuses"/>
    public (int Start, int End)[] RetriableStatuses { get; init; } = [];

    public bool Http2 { get; init; }

    public bool ReuseConnection { get; init; } = true;

    /// <summary>What <c>x-envoy-upstream-healthchecked-cluster</c> must be.</summary>
    public StringMatcher? ServiceName { get; init; }

    public override HealthProbe CreateProbe(HealthCheckTarget target) => new Probe(this, target);

    private sealed class Probe(HttpHealthCheck check, HealthCheckTarget target) : HealthProbe
    {
        private IEndpointTransport? _transport;

        public override async Task<HealthCheckOutcome> CheckAsync(CancellationToken cancellationToken)
        {
            var transport = Volatile.Read(ref _transport);
            if (transport is null)
            {
                transport = target.Connect(check.Http2 ? UpstreamProtocol.Http2 : UpstreamProtocol.Http11);
                Volatile.Write(ref _transport, transport);
            }

            var clean = false;
            try
            {
                using var request = CreateRequest();
                using var response = await transport.SendAsync(request, cancellationToken).ConfigureAwait(false);
                var body = await ReadAsync(response, cancellationToken).ConfigureAwait(false);
                clean = true;
                return Judge(response, body);
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
            var uri = new Uri("http://health-check" + check.Path, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
            var request = new HttpRequestMessage(check.Method, uri)
            {
                Version = check.Http2 ? HttpVersion.Version20 : HttpVersion.Version11,
                VersionPolicy = HttpVersionPolicy.RequestVersionExact,
                Content = check.Send is null ? null : new ByteArrayContent(check.Send),
            };
            request.Headers.TryAddWithoutValidation("Host", target.EndpointHostname ?? (check.Host.Length > 0 ? check.Host : target.Hostname));
            request.Headers.TryAddWithoutValidation("User-Agent", UserAgent);
            foreach (var name in check.RemovedHeaders)
            {
                request.Headers.Remove(name);
            }

            foreach (var header in check.AddedHeaders)
            {
                header.Apply(request);
            }

            return request;
        }

        private async Task<byte[]> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
        {
            using var kept = new MemoryStream();
            var most = check.Receive.Length == 0 ? 0 : check.ResponseBufferSize is 0 or > MaxBody ? MaxBody : (int)check.ResponseBufferSize;
            var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
            var buffer = new byte[4096];
            long total = 0;
            int read;
            while ((read = await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
            {
                kept.Write(buffer, 0, (int)Math.Min(read, most - kept.Length));
                if ((total += read) > MaxBody)
                {
                    throw new InvalidDataException($"the answer to the health check is longer than {MaxBody} bytes");
                }
            }

            return kept.ToArray();
        }

        private HealthCheckOutcome Judge(HttpResponseMessage response, byte[] body)
        {
            var status = (int)response.StatusCode;
            var headers = response.Headers.NonValidated;
            var failed = headers.Contains("x-envoy-immediate-health-check-fail") ? HealthCheckOutcome.FailedImmediately : HealthCheckOutcome.Failed;
            if (check.Receive.Length > 0 && !Payloads.Match(check.Receive, body))
            {
                return failed;
            }

            if (!IsIn(check.ExpectedStatuses, status))
            {
                return failed == HealthCheckOutcome.Failed && IsIn(check.RetriableStatuses, status) ? HealthCheckOutcome.FailedRetriably : failed;
            }

            if (check.ServiceName is { } matcher)
            {
                var name = headers.TryGetValues("x-envoy-upstream-healthchecked-cluster", out var values) ? values.ToString() : "";
                if (!matcher.IsMatch(name))
                {
                    return HealthCheckOutcome.Failed;
                }
            }

            return headers.Contains("x-envoy-degraded") ? HealthCheckOutcome.Degraded : HealthCheckOutcome.Passed;
        }

        private static bool IsIn((int Start, int End)[] ranges, int status)
        {
            foreach (var (start, end) in ranges)
            {
                if (status >= start && status < end)
                {
                    return true;
                }
            }

            return false;
        }
    }
}
