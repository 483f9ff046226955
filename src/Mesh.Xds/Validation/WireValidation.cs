using Google.Protobuf;
using Mesh.Xds.Client;

namespace Mesh.Xds.Validation;

/// <summary>
/// Enforces the validation rules that are published with Envoy's and xDS's messages, on what arrives. Messages inside <c>Any</c> are not looked at: who
/// unpacks them validates them.
/// </summary>
internal static class WireValidation
{
    /// <exception cref="ResourceRejectedException">A rule is broken: the path of the first such field and the reason.</exception>
    public static void Validate(IMessage message)
    {
        if (MessagePlan.Reaches(message.Descriptor) && MessagePlan.Of(message.Descriptor).Check(message) is { } violation)
        {
            throw new ResourceRejectedException(violation.Path, violation.Reason);
        }
    }
}
