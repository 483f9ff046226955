namespace Mesh.Peers.Tests.Certificates;

/// <summary>A test with the <c>openssl</c> command and gRPC's C-core; skipped with a reason where one is not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class OpenSslFactAttribute : FactAttribute
{
    public OpenSslFactAttribute()
        => Skip = Peer.Succeeds("openssl", "version") ? Peer.Python.Missing : "the openssl command is not installed: apt-get install openssl";
}
