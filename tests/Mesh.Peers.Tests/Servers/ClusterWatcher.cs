using System.Threading.Channels;
using Mesh.Xds.Client;

namespace Mesh.Peers.Tests.Servers;

/// <summary>Writes down what a watcher is told.</summary>
internal sealed class ClusterWatcher : IResourceWatcher<string>
{
    private readonly Channel<(string What, string Text)> _events = Channel.CreateUnbounded<(string, string)>();

    public async Task<(string What, string Text)> NextAsync() => await _events.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));

    public void OnChanged(string name, string resource, string version) => _events.Writer.TryWrite(("changed", resource));

    public void OnResourceError(string name, ResourceError error) => _events.Writer.TryWrite(($"error {error.Kind}", error.Message));

    public void OnAmbientError(string name, ResourceError error) => _events.Writer.TryWrite(($"ambient {error.Kind}", error.Message));
}
