using Mesh.DataPlane.Tls;
using Mesh.Identity;
using Mesh.Xds.Certificates;
using Mesh.Xds.Client;
using Mesh.Xds.Grpc;
using Microsoft.Extensions.Logging;

namespace Mesh.DataPlane.Identity;

/// <summary>
/// Has keys of this process signed by a certificate authority: a new key each time, renewed at half its certificate's lifetime, and while that does not
/// succeed again and again, so that there is half a lifetime for the authority to come back in.
/// </summary>
/// <param name="issuer">The authority.</param>
/// <param name="credentials">Reads what the workload proves its identity with; called for each request.</param>
/// <param name="workload">Who the workload should be.</param>
/// <param name="options">Its settings.</param>
/// <param name="time">The clock.</param>
/// <param name="random">Spreads renewals.</param>
/// <param name="logger">Where it tells of what comes unexpected.</param>
/// <param name="connection">What leads to the authority, if it is to be closed at the end.</param>
internal sealed partial class CertificateAuthoritySource(
    ICertificateIssuer issuer,
    Func<CallerCredentials> credentials,
    SpiffeId workload,
    MeshIdentityAuthorityOptions options,
    TimeProvider time,
    IRandomSource random,
    ILogger logger,
    IDisposable? connection = null) : IIdentitySource
{
    /// <summary>A clock that was set, or a machine that slept, is noticed by then.</summary>
    internal static readonly TimeSpan LongestWait = TimeSpan.FromHours(1);

    public string Description => $"the certificate authority {issuer.Target}";

    public async Task RunAsync(WorkloadIdentity identity, CancellationToken cancellationToken)
    {
        using var open = connection;
        var backoff = new ExponentialBackoff(random);
        while (true)
        {
            DateTimeOffset next;
            try
            {
                next = await RenewAsync(identity, cancellationToken).ConfigureAwait(false);
                backoff.Reset();
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested)
            {
                identity.Fail(Explain(e), IsFinal(e), ISecretSource.Certificate, ISecretSource.Authorities);
                next = time.GetUtcNow() + backoff.Next();
            }

            await WaitAsync(next, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <returns>When to renew.</returns>
    private async Task<DateTimeOffset> RenewAsync(WorkloadIdentity identity, CancellationToken cancellationToken)
    {
        using var key = WorkloadKey.Create(options.KeyType);
        var request = new CertificateSigningRequest(key.CreateSigningRequest(workload), options.Lifetime);
        var issued = await IssueAsync(request, cancellationToken).ConfigureAwait(false);
        var now = time.GetUtcNow();
        var answer = IssuedIdentity.Read(issued, key, now);
        if (answer.Id != workload)
        {
            Log.OtherIdentity(logger, issuer.Target, answer.Id.ToString(), workload.ToString());
        }

        // First whom to trust: a peer may have the next authority's certificate already.
        identity.UseAuthorities(answer.Authorities);
        identity.UseCertificate(ClientCertificate.Of(answer.Certificate, answer.Chain));
        var lifetime = answer.Certificate.NotAfter.ToUniversalTime() - now.UtcDateTime;
        var jitter = options.RenewJitter * ((2 * random.NextDouble()) - 1);
        return now + (lifetime * (options.RenewAfter + jitter));
    }

    private async Task<IssuedCertificate> IssueAsync(CertificateSigningRequest request, CancellationToken cancellationToken)
    {
        var caller = credentials();
        using var deadline = new CancellationTokenSource(options.RequestTimeout, time);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        return await issuer.IssueAsync(request, caller, ending.Token).WaitAsync(ending.Token).ConfigureAwait(false);
    }

    private async Task WaitAsync(DateTimeOffset until, CancellationToken cancellationToken)
    {
        while (until - time.GetUtcNow() is var left && left > TimeSpan.Zero)
        {
            // Delays are in whole milliseconds, cut off: what is left of one would be waited for by turning round and round.
            var whole = TimeSpan.FromMilliseconds(Math.Ceiling(left.TotalMilliseconds));
            await Task.Delay(whole < LongestWait ? whole : LongestWait, time, cancellationToken).ConfigureAwait(false);
        }
    }

    private static string Explain(Exception exception)
        => exception switch
        {
            RpcException rpc => $"{rpc.StatusCode}: {rpc.Detail}",
            OperationCanceledException => "it has not answered in time",
            IdentityException identity => identity.Message,
            _ => $"{exception.GetType().Name}: {exception.Message}",
        };

    // An authority that refuses does so until somebody changes something.
    private static bool IsFinal(Exception exception)
        => exception is IdentityException or RpcException
        {
            StatusCode: StatusCode.Unauthenticated or StatusCode.PermissionDenied or StatusCode.InvalidArgument or StatusCode.Unimplemented or StatusCode.FailedPrecondition
        };

    private static partial class Log
    {
        [LoggerMessage(20, LogLevel.Warning, "The certificate authority {Target} says that this workload is {Issued}, which its settings say is {Expected}; it goes by the authority. Mesh:Workload and Mesh:Identity:TrustDomain should say the same.")]
        public static partial void OtherIdentity(ILogger logger, string target, string issued, string expected);
    }
}
