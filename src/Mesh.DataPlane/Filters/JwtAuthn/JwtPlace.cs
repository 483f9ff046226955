namespace Mesh.DataPlane.Filters.JwtAuthn;

/// <summary>What a token was found in.</summary>
internal enum JwtPlace
{
    Header,
    Parameter,
    Cookie,
}
