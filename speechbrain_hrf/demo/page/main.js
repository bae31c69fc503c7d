/* The page: loads the model, then lets the reader begin.

Authors
 * The speechbrain_hrf authors 2026
*/

import { Controls } from "./controls.js";
import { Facts } from "./facts.js";
import { Model } from "./model.js";
import { told } from "./problem.js";
import { Results } from "./results.js";
import { Session } from "./session.js";

const find = (id) => document.getElementById(id);

async function main() {
  const controls = new Controls(find, document.body);
  controls.status("Loading the model…");
  const facts = new Facts(find);
  let model;
  try {
    model = await Model.load((share) => controls.progress(share));
    facts.model(model);
  } catch (error) {
    controls.progress(null);
    controls.status("There is no model to run.");
    controls.alarm(told(error));
    return;
  }
  const results = new Results(find, model.manifest.labels);
  const session = new Session(model, controls, results, facts);
  controls.ready(
    () => session.microphone(),
    (file) => session.file(file),
  );
}

main();
