namespace Mesh.DataPlane.Inbound;

/// <summary>What holds for every port that is covered.</summary>
/// <param name="ResourceTimeout">How long a connection waits for the first listener and its secrets, counted from when they were asked for.</param>
/// <param name="DrainDuration">How long a connection may go on that would not be let in any more.</param>
/// <param name="NameTemplate">The name of a listener on the wire, with <c>%s</c> for the address.</param>
/// <param name="EndsWithCertificates">Whether a connection ends when a certificate does that it was made with.</param>
internal sealed record InboundPortSettings(TimeSpan ResourceTimeout, TimeSpan DrainDuration, string NameTemplate = InboundPortSettings.DefaultNameTemplate, bool EndsWithCertificates = true)
{
    /// <summary>Istio's, where no bootstrap says otherwise.</summary>
    public const string DefaultNameTemplate = "xds.istio.io/grpc/lds/inbound/%s";
}
