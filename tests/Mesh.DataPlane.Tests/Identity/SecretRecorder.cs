using System.Threading.Channels;
using Mesh.DataPlane.Tls;
using Mesh.Xds.Client;

namespace Mesh.DataPlane.Tests.Identity;

/// <summary>What somebody who watches a secret is told, in order.</summary>
internal sealed class SecretRecorder : IResourceWatcher<SecretResource>
{
    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(30);
    private readonly Channel<(SecretResource? Resource, ResourceError? Error, bool IsAmbient)> _told = Channel.CreateUnbounded<(SecretResource?, ResourceError?, bool)>();

    public async Task<SecretResource> NextAsync()
    {
        var (resource, error, _) = await _told.Reader.ReadAsync().AsTask().WaitAsync(Guard);
        return resource ?? throw new InvalidOperationException($"An error came where a secret was expected: {error!.Message}");
    }

    public async Task<(ResourceError Error, bool IsAmbient)> NextErrorAsync()
    {
        var (_, error, isAmbient) = await _told.Reader.ReadAsync().AsTask().WaitAsync(Guard);
        return (error ?? throw new InvalidOperationException("A secret came where an error was expected."), isAmbient);
    }

    public bool HasMore => _told.Reader.TryPeek(out _);

    public void OnChanged(string name, SecretResource resource, string version) => _told.Writer.TryWrite((resource, null, false));

    public void OnResourceError(string name, ResourceError error) => _told.Writer.TryWrite((null, error, false));

    public void OnAmbientError(string name, ResourceError error) => _told.Writer.TryWrite((null, error, true));
}
