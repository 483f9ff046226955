using System.Collections.Immutable;
using Mesh.Xds.Client;

namespace Mesh.ControlPlane.Issuers;

/// <summary>
/// Asks the issuers whose rules name no keys where these are, as istiod does: at once, then every twenty minutes (<c>PILOT_JWT_PUB_KEY_REFRESH_INTERVAL</c>),
/// and after a failure with back-off. What was heard last stays until something else is.
/// </summary>
internal sealed class OpenIdDiscovery(IIssuerDocuments documents, TimeProvider time, IRandomSource random) : IDisposable
{
    internal static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);
    internal static readonly TimeSpan RefreshInterval = TimeSpan.FromMinutes(20);

    private const int AtATime = 8;
    private const int MaxReason = 500;

    private readonly SemaphoreSlim _turns = new(AtATime);
    private readonly Lock _gate = new();
    private readonly Dictionary<string, CancellationTokenSource> _followed = new(StringComparer.Ordinal);
    private ImmutableDictionary<string, IssuerAnswer> _answers = ImmutableDictionary.Create<string, IssuerAnswer>(StringComparer.Ordinal);
    private bool _disposed;

    /// <summary>Something else is known than before.</summary>
    public event Action? Changed;

    /// <summary>What is known of an issuer; <see langword="null"/> while it has not been asked.</summary>
    public IssuerAnswer? Find(string issuer) => Volatile.Read(ref _answers).GetValueOrDefault(issuer);

    /// <summary>Asks these issuers from now on, and no others.</summary>
    public void Follow(IReadOnlySet<string> issuers)
    {
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            foreach (var gone in _followed.Keys.Where(issuer => !issuers.Contains(issuer)).ToList())
            {
                _followed.Remove(gone, out var ended);
                ended!.Cancel();
                ended.Dispose();
                _answers = _answers.Remove(gone);
            }

            foreach (var issuer in issuers.Where(issuer => !_followed.ContainsKey(issuer)))
            {
                if (OpenIdConfiguration.AddressOf(issuer) is { } address)
                {
                    var ending = new CancellationTokenSource();
                    var token = ending.Token;
                    _followed.Add(issuer, ending);
                    _ = Task.Run(() => RunAsync(issuer, address, token), token);
                }
            }
        }
    }

    public void Dispose()
    {
        Follow(ImmutableHashSet<string>.Empty);
        lock (_gate)
        {
            _disposed = true;
        }
    }

    private async Task RunAsync(string issuer, Uri address, CancellationToken ended)
    {
        var backoff = new ExponentialBackoff(random);
        try
        {
            while (true)
            {
                TimeSpan pause;
                try
                {
                    Take(issuer, new IssuerAnswer(await AskAsync(issuer, address, ended).ConfigureAwait(false), null), ended);
                    backoff.Reset();
                    pause = RefreshInterval;
                }
                catch (IssuerException e)
                {
                    Take(issuer, new IssuerAnswer(Find(issuer)?.JwksUri, $"failed to fetch {address}: {OneLine(e.Message)}"), ended);
                    pause = backoff.Next();
                }

                await Task.Delay(pause, time, ended).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // Nobody names it any more.
        }
    }

    // Some of it may be a stranger's words, and it goes to the log.
    private static string OneLine(string text) => new([.. text.Take(MaxReason).Select(c => char.IsControl(c) ? ' ' : c)]);

    private async Task<string> AskAsync(string issuer, Uri address, CancellationToken ended)
    {
        await _turns.WaitAsync(ended).ConfigureAwait(false);
        try
        {
            using var deadline = new CancellationTokenSource(Timeout, time);
            using var ending = CancellationTokenSource.CreateLinkedTokenSource(ended, deadline.Token);
            return OpenIdConfiguration.JwksUriOf(issuer, await documents.GetAsync(address, ending.Token).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (!ended.IsCancellationRequested)
        {
            throw new IssuerException($"it has not answered within {Timeout.TotalSeconds} s");
        }
        catch (Exception e) when (e is not (IssuerException or OperationCanceledException))
        {
            // Whatever it is, the others are asked on.
            throw new IssuerException(e.Message, e);
        }
        finally
        {
            _turns.Release();
        }
    }

    private void Take(string issuer, IssuerAnswer answer, CancellationToken ended)
    {
        lock (_gate)
        {
            if (ended.IsCancellationRequested || answer.Equals(_answers.GetValueOrDefault(issuer)))
            {
                return;
            }

            _answers = _answers.SetItem(issuer, answer);
        }

        Changed?.Invoke();
    }
}
