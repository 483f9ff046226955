using Mesh.Filters;

namespace Mesh.DataPlane.Filters.JwtAuthn;

/// <summary>A token as it stands in a request.</summary>
internal readonly record struct JwtFound(ReadOnlyMemory<char> Token, JwtPlace Place, string Name)
{
    /// <summary>Takes it out of the request; a cookie stays, as in Envoy.</summary>
    public void Remove(HttpExchange exchange)
    {
        switch (Place)
        {
            case JwtPlace.Header:
                exchange.RequestHeaders.Remove(Name);
                break;
            case JwtPlace.Parameter:
                exchange.Path = QueryString.Without(exchange.Path, Name);
                break;
            default:
                break;
        }
    }
}
