namespace Mesh.DataPlane.Dns;

/// <summary>Turns names into addresses. Called from many threads; never on the path of a request.</summary>
internal interface IDnsResolver
{
    /// <summary>Looks a name up once; whoever wants to stay informed asks again.</summary>
    /// <param name="query">What is asked.</param>
    /// <param name="cancellationToken">Gives up; the one thing that is thrown.</param>
    ValueTask<DnsResolution> ResolveAsync(DnsQuery query, CancellationToken cancellationToken);
}
