// The reference page: swagger-ui draws the document the page names. No remote validator, no stored credentials.
// Its own frame brings a second <main> and <h1>, so only the operations and schemas are taken from it.
const place = document.getElementById("swagger-ui");

const Frame = (system) => ({
  components: {
    Frame: () => {
      const draw = system.React.createElement;
      const parts = ["SvgAssets", "AuthorizeBtnContainer", "operations", "Models"].map((name) => system.getComponent(name, name !== "SvgAssets"));
      return draw("div", { className: "swagger-ui" }, ...parts.map((part) => draw(part, { key: part.name })));
    },
  },
});

window.SwaggerUIBundle({
  url: place.dataset.spec, domNode: place, plugins: [Frame], layout: "Frame",
  validatorUrl: null, persistAuthorization: false, deepLinking: false, defaultModelsExpandDepth: 0,
});
