using Mesh.DataPlane.Formatting;

namespace Mesh.DataPlane.Expressions;

/// <summary>Tells one thing of a request; an error where there is no such thing.</summary>
internal delegate CelValue CelAttribute(in FormatContext context);
